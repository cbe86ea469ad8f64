import { within } from "../core/within.ts";
import type { Child, ExitStatus } from "../platform/platform.ts";
import { type BoundedOutput, OutputCollector } from "./bounded-output.ts";
import { Stopper } from "./stopper.ts";

/** Why Boxer ended a process that would have gone on. */
export type StopReason =
  | "timed_out"
  | "output_limit"
  | "output_files_limit"
  | "oom_killed"
  | "canceled"
  | "not_started";

/** Looks whether a limit that nothing else reports has been passed; asked again and again while a process runs. */
export type Watch = () => Promise<StopReason | null>;

/**
 * Is told of output as it comes, within the limit: of a chunk, and of all that was kept of the stream, which ends with
 * it. The chunk is to be copied, its memory is used again; what was kept stays. One that throws hears no more; it must not
 * be slow.
 */
export type OutputListener = (stream: "stdout" | "stderr", chunk: Uint8Array, kept: Uint8Array) => void;

/** What bounds a process. */
export interface ProcessLimits {
  /** Null: no limit. */
  wall_clock_ms: number | null;
  /** Most bytes kept of each of stdout and stderr; one more stops the process, unless `drop_excess_output`. */
  output_limit_bytes: number;
  /** Lets the process go on past `output_limit_bytes`: what is beyond is read and dropped. */
  drop_excess_output?: boolean;
  /** Aborts the process. */
  signal: AbortSignal;
  readonly watches?: readonly Watch[];
  readonly onOutput?: OutputListener | undefined;
}

/** How a process ended and what it said. */
export interface ProcessExit {
  readonly status: ExitStatus;
  /** The first reason to stop it, or null when it ended by itself. */
  readonly stop: StopReason | null;
  readonly stdout: BoundedOutput;
  readonly stderr: BoundedOutput;
  /** From start to exit. */
  readonly wall_ms: number;
}

/** How long the pipes may stay open after the process has ended, in looks: a server that is held up misses one of them. */
const [DRAIN_LOOKS, DRAIN_LOOK_MS] = [10, 100];
/** Between two looks of the watches. */
const WATCH_INTERVAL_MS = 250;

/**
 * Runs a process to its end or to the first limit, reading both streams meanwhile.
 * @param start makes the process do its work; it may have been there before
 * @throws what `start` throws, and an Error when SIGKILL did not end the process
 */
export async function runProcess(
  start: () => Child | Promise<Child>,
  limits: ProcessLimits,
): Promise<ProcessExit> {
  const started = performance.now();
  const child = await start();
  const stopper = new Stopper(child);
  const disarm = arm(stopper, limits);
  const stdout = new OutputCollector(limits.output_limit_bytes);
  const stderr = new OutputCollector(limits.output_limit_bytes);
  const overflow = limits.drop_excess_output ? () => {} : () => stopper.stop("output_limit");
  const reading = Promise.all([
    stdout.collect(child.stdout, overflow, teller("stdout", stdout, limits.onOutput)),
    stderr.collect(child.stderr, overflow, teller("stderr", stderr, limits.onOutput)),
  ]);
  try {
    const status = await stopper.ended;
    const wall_ms = Math.round(performance.now() - started);
    await drain(reading);
    const streams = { stdout: stdout.output, stderr: stderr.output };
    // A short program may have ended before its output was read and found too long.
    const overfull = !limits.drop_excess_output && (streams.stdout.truncated || streams.stderr.truncated);
    return { status, stop: stopper.reason ?? (overfull ? "output_limit" : null), ...streams, wall_ms };
  } finally {
    disarm();
  }
}

async function drain(reading: Promise<unknown>): Promise<void> {
  for (let look = 0; look < DRAIN_LOOKS; look += 1) {
    if ((await within(reading, DRAIN_LOOK_MS)) !== "late") return;
  }
}

/** A listener that fails hears no more, and the run goes on. */
function teller(
  stream: "stdout" | "stderr",
  collector: OutputCollector,
  listener?: OutputListener,
): (chunk: Uint8Array) => void {
  let hears = listener;
  return (chunk) => {
    try {
      hears?.(stream, chunk, collector.output.bytes);
    } catch {
      hears = undefined;
    }
  };
}

/** Watches the clock, the abort signal and what else there is to watch; returns how to stop watching. */
function arm(stopper: Stopper, { wall_clock_ms, signal, watches = [] }: ProcessLimits): () => void {
  const cancel = () => stopper.stop("canceled");
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel);
  const timer =
    wall_clock_ms === null ? undefined : setTimeout(() => stopper.stop("timed_out"), wall_clock_ms);
  const stopWatching = watch(stopper, watches);
  return () => {
    clearTimeout(timer);
    stopWatching();
    signal.removeEventListener("abort", cancel);
  };
}

/** A watch that fails has seen nothing: what it looks at may be gone with the process. */
function watch(stopper: Stopper, watches: readonly Watch[]): () => void {
  if (watches.length === 0) return () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const again = () => {
    timer = setTimeout(look, WATCH_INTERVAL_MS);
  };
  const look = async () => {
    const reasons = await Promise.all(watches.map((each) => each().catch(() => null)));
    const reason = reasons.find((each) => each !== null);
    if (stopped) return;
    if (reason) stopper.stop(reason);
    else again();
  };
  again();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
