import Type from "typebox";
import { BoxerError, messageOf } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import type { Child, Platform } from "../../platform/platform.ts";
import { printable } from "../printable.ts";

/** A helper's name is part of a program's name; anything else could name a program elsewhere. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NOT_FOUND = "credentials not found in native keychain";
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1 << 20;

const answerSchema = compileSchema(Type.Object({ Username: Type.String(), Secret: Type.String() }));

/**
 * Asks a Docker credential helper, `docker-credential-<name> get` with the server's name on its stdin
 * (https://github.com/docker/docker-credential-helpers).
 * @returns undefined where the helper knows of none
 * @throws BoxerError `image_pull_failed` when the helper cannot be started, fails, or is not done within 30 s
 */
export async function askCredentialHelper(
  name: string,
  serverName: string,
  options: { platform: Platform; env: Readonly<Record<string, string | undefined>> },
): Promise<{ username: string; secret: string } | undefined> {
  const fail = (why: string, cause?: unknown): BoxerError =>
    new BoxerError("image_pull_failed", `credential helper ${printable(name, 50)} failed: ${why}`, { cause });
  if (!HELPER_NAME.test(name)) throw fail("its name is not a plain word");
  const { code, stdout, stderr } = await run(`docker-credential-${name}`, serverName, options).catch(
    (error) => {
      throw fail(messageOf(error), error);
    },
  );
  if (code !== 0) {
    if (stdout.trim() === NOT_FOUND) return undefined;
    throw fail(printable(stdout || stderr) || `exit code ${code}`);
  }
  const answer = parse(stdout);
  // What it said may be a secret in the wrong form: it is not quoted.
  if (!answerSchema.fits(answer)) throw fail("its answer is not what the protocol asks for");
  return { username: answer.Username, secret: answer.Secret };
}

async function run(
  program: string,
  input: string,
  options: { platform: Platform; env: Readonly<Record<string, string | undefined>> },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = Object.fromEntries(Object.entries(options.env).filter((entry) => entry[1] !== undefined));
  const child = options.platform.spawn([program, "get"], {
    env: env as Record<string, string>,
    stdin: new TextEncoder().encode(input),
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  try {
    const [stdout, stderr] = await Promise.all([collect(child, "stdout"), collect(child, "stderr")]);
    const { code } = await child.exited;
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

async function collect(child: Child, stream: "stdout" | "stderr"): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of child[stream]) {
    length += chunk.length;
    if (length > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
