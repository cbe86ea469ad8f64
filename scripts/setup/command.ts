import { type ChildProcess, spawn } from "node:child_process";
import { messageOf } from "../../src/core/errors.ts";

/** What a finished program left behind. */
export interface CommandResult {
  /** Exit code; -1 when a signal ended it, which `signal` then names. */
  code: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

export interface CommandOptions {
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  /** SIGKILL after this time; no limit when absent. */
  timeout_ms?: number;
}

/** A program that could not be started or did not exit with 0. The message ends with its own last words. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a program to its end and returns what it said, whatever its exit code. Throws if it cannot be started. */
export async function tryCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file = "", ...args] = argv;
  const env = { ...process.env, ...options.env };
  try {
    const child = spawn(file, args, { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    return await collect(child, options.timeout_ms);
  } catch (error) {
    throw new CommandError(`Cannot run ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function collect(child: ChildProcess, timeout_ms: number | undefined): Promise<CommandResult> {
  const result: CommandResult = { code: -1, signal: null, stdout: "", stderr: "", timedOut: false };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      result[name] += text;
    });
  }
  const stop = () => {
    result.timedOut = true;
    child.kill("SIGKILL");
  };
  const timer = timeout_ms === undefined ? undefined : setTimeout(stop, timeout_ms);
  return new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...result, code: code ?? -1, signal }));
  }).finally(() => clearTimeout(timer));
}

/** Runs a program to its end and returns its stdout. Throws {@link CommandError} unless it exits with 0. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(argv, options);
  if (result.code === 0) return result.stdout;
  throw new CommandError(
    `${argv[0]} failed (${describeEnd(result)}): ${lastLines(result.stderr || result.stdout)}`,
  );
}

/** "exit code 2", "killed by SIGSEGV" or "stopped after its time". */
export function describeEnd(result: CommandResult): string {
  if (result.timedOut) return "stopped, it took too long";
  return result.signal ? `killed by ${result.signal}` : `exit code ${result.code}`;
}

/** A word as sh(1) reads it back, whatever is in it. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The last lines of a program's output on one line, short enough for a message. */
export function lastLines(text: string, count = 3): string {
  const lines = text.split("\n").map((line) => line.trim());
  const kept = lines.filter((line) => line !== "").slice(-count);
  return kept.length > 0 ? kept.join("; ").slice(-600) : "it said nothing";
}
