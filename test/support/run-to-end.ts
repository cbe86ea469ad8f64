import type { ExitStatus, SpawnOptions } from "../../src/platform/platform.ts";
import { platform } from "./platform.ts";
import { killAfter } from "./processes.ts";
import type { TestContext } from "./temp-directory.ts";

/** What a process said and how it ended. */
export interface Ended extends ExitStatus {
  stdout: string;
  stderr: string;
}

/** An environment in which a shell finds the usual tools. */
export const PLAIN_ENV = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" };

/**
 * Runs a process to its end.
 * @param t kills a process that goes on, against all expectation, when the test is over
 */
export async function runToEnd(
  argv: readonly string[],
  options?: Partial<SpawnOptions>,
  t?: TestContext,
): Promise<Ended> {
  const child = platform.spawn(argv, { env: PLAIN_ENV, ...options });
  if (t) killAfter(t, child.pid);
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exited,
  ]);
  return { stdout, stderr, ...status };
}

/** Reads a stream of bytes to its end, as UTF-8. */
export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
