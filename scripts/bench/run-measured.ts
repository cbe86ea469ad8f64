import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";

/** What a program and all its children took. */
export interface Measured {
  readonly duration_ms: number;
  /** The sum of what each process held at its own peak: what they took together at most. */
  readonly peak_memory_bytes: number;
}

const LOOK_EVERY_MS = 10;

/**
 * Runs a program to its end. Its memory is looked at every 10 ms: the kernel keeps the peak of each process (proc(5),
 * VmHWM), so that only what it takes in its very last moment can be missed.
 * @throws Error when it fails, with what it said
 */
export async function runMeasured(argv: readonly [string, ...string[]]): Promise<Measured> {
  const [program, ...args] = argv;
  const peaks = new Map<number, number>();
  const started = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  let isOver = false;
  const finish = (): void => {
    isOver = true;
  };
  code.then(finish, finish);
  while (!isOver) {
    await notePeaks(child.pid ?? 0, peaks);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  if ((await code) !== 0) throw new Error(`${argv.join(" ")} failed: ${output}`);
  const duration_ms = performance.now() - started;
  return { duration_ms, peak_memory_bytes: [...peaks.values()].reduce((sum, peak) => sum + peak, 0) };
}

/** A process and its children; none of ours has grandchildren. */
async function notePeaks(pid: number, peaks: Map<number, number>): Promise<void> {
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    if (Number(name) !== pid && parent !== pid) continue;
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    peaks.set(Number(name), Math.max(peaks.get(Number(name)) ?? 0, 1024 * kilobytes));
  }
}
