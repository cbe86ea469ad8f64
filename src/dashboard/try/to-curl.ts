import type { RunBody } from "./try-form.ts";

/** A word of a POSIX shell that stands for exactly this text: in single quotes nothing has a meaning but their end. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The command that sends a request to `POST /run`. Pure.
 * @param origin such as `http://127.0.0.1:8080`
 */
export function toCurl(body: RunBody, origin: string): string {
  const json = JSON.stringify(body, null, 2);
  return `curl -sS ${quoteForShell(`${origin}/run`)} \\\n  -H 'Content-Type: application/json' \\\n  --data-binary ${quoteForShell(json)}`;
}
