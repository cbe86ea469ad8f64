import { readFile, writeFile } from "node:fs/promises";
import { BoxerError } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { COMMAND_ENV, readBeginning } from "../platform/run-command.ts";

/** What is read of a tool's answer; a table with all its runs is a fraction of it. */
const MAX_ANSWER_BYTES = 32 << 20;

/** The host as networks see it: its tools, and files below /proc. */
export interface NetworkHost {
  /**
   * Runs a tool to its end.
   * @param script for its stdin
   * @returns what it wrote to stdout
   * @throws BoxerError `sandbox_failed` with what it said, unless it succeeds; ENOENT when there is no such tool
   */
  run(argv: readonly string[], script?: string): Promise<string>;
  /** @throws as readFile */
  read(path: string): Promise<string>;
  /** @throws as writeFile */
  write(path: string, text: string): Promise<void>;
}

/** The host that this process runs on. */
export function thisHost(platform: Pick<Platform, "spawn">): NetworkHost {
  return {
    run: (argv, script) => runTool(platform, argv, script),
    read: (path) => readFile(path, "utf8"),
    write: (path, text) => writeFile(path, text),
  };
}

/** See {@link NetworkHost.run}. */
export async function runTool(
  platform: Pick<Platform, "spawn">,
  argv: readonly string[],
  script?: string,
): Promise<string> {
  const stdin = script === undefined ? {} : { stdin: new TextEncoder().encode(script) };
  const child = platform.spawn(argv, { env: COMMAND_ENV, ...stdin });
  const [stdout, stderr] = await Promise.all([readAnswer(child.stdout), readBeginning(child.stderr)]);
  const { code, signal } = await child.exited;
  if (code === 0) return stdout;
  const why = stderr || `it ended with ${signal ?? code}`;
  throw new BoxerError("sandbox_failed", `Cannot set up the network: ${argv[0]}: ${why}`);
}

async function readAnswer(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  if (size > MAX_ANSWER_BYTES) throw new BoxerError("sandbox_failed", "a network tool's answer has no end");
  return Buffer.concat(chunks).toString();
}
