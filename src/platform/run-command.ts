import type { Child, Platform } from "../platform/platform.ts";

/** What the tools of the host are started with: names are looked up as for the server, messages come untranslated. */
export const COMMAND_ENV = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" };

const MAX_KEPT_BYTES = 2000;

/** The end of a command. */
export interface CommandResult {
  readonly succeeded: boolean;
  /** The beginning of what it said on stderr. */
  readonly stderr: string;
}

/**
 * Runs a command of the host to its end and drops what it writes to stdout.
 * @throws ENOENT when there is no such command
 */
export async function runCommand(
  platform: Pick<Platform, "spawn">,
  argv: readonly string[],
): Promise<CommandResult> {
  const child = platform.spawn(argv, { env: COMMAND_ENV });
  const [stderr] = await Promise.all([readBeginning(child.stderr), readBeginning(child.stdout)]);
  const { code } = await child.exited;
  return { succeeded: code === 0, stderr };
}

/** Reads a stream to its end and keeps the beginning: a pipe that nobody reads would block its writer. */
export async function readBeginning(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let kept = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    if (kept.length < MAX_KEPT_BYTES)
      kept += decoder.decode(chunk.subarray(0, MAX_KEPT_BYTES), { stream: true });
  }
  return kept.slice(0, MAX_KEPT_BYTES).trim();
}

/** Reads what a process still says, and drops it: a pipe that nobody reads is never closed. Not to be waited for. */
export function discardOutput({ stdout, stderr }: Pick<Child, "stdout" | "stderr">): void {
  void Promise.allSettled([stdout, stderr].map(readBeginning));
}
