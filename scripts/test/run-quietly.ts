import { spawn } from "node:child_process";

/** How a program fared: all it said, and why it is not content, or undefined when it is. */
export interface QuietRun {
  output: string;
  fault: string | undefined;
}

const ALIVE_AFTER_MS = 30_000;

/** What bounds a program, and what its environment has beyond that of this process. */
export interface QuietOptions {
  signal: AbortSignal;
  timeout_ms: number;
  env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and keeps what it says, with a sign of life while it takes long. */
export function runQuietly(
  [file = "", ...args]: readonly string[],
  { signal, timeout_ms, env: more = {} }: QuietOptions,
): Promise<QuietRun> {
  const started = performance.now();
  const minutes = () => `${((performance.now() - started) / 60_000).toFixed(1)} min`;
  const alive = setInterval(() => console.log(`… ${args.at(-1)}: ${minutes()}`), ALIVE_AFTER_MS);
  const env = { ...process.env, NO_COLOR: "1", ...more };
  const child = spawn(file, args, { env, signal, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout_ms);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise<QuietRun>((resolve) => {
    child.on("error", (error) => resolve({ output, fault: error.message }));
    // Not "close": a process that a test left behind may hold the pipes open.
    child.on("exit", (code, killed) => {
      const fault =
        code === 0 ? undefined : killed ? `killed by ${killed} after ${minutes()}` : `exit code ${code}`;
      setImmediate(() => resolve({ output, fault }));
    });
  }).finally(() => {
    clearInterval(alive);
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
  });
}
