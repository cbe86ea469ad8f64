import type { Child, ExitStatus, Platform } from "../platform/platform.ts";
import { type BoundedOutput, OutputCollector } from "./bounded-output.ts";
import { descendantsOf, signalAll } from "./process-tree.ts";

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
 * Is told of output as it comes, within the limit. The chunk is to be copied: its memory is used again. One that
 * throws hears no more; it must not be slow.
 */
export type OutputListener = (stream: "stdout" | "stderr", chunk: Uint8Array) => void;

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
  /** From spawn to exit. */
  readonly wall_ms: number;
}

/** How long runsc may take to clean up after its sentry was killed, before it is killed as well. */
const CLEANUP_GRACE_MS = 300;
/** How long SIGKILL may take to end a process tree; past it the kernel itself is stuck. */
const KILL_DEADLINE_MS = 10_000;
/** How long the pipes may stay open after the process has ended. */
const DRAIN_MS = 1_000;
/** Between two looks of the watches. */
const WATCH_INTERVAL_MS = 250;

/**
 * Runs a process to its end or to the first limit, reading both streams meanwhile.
 * @param argv the command; its environment holds PATH only
 * @throws what `Platform.spawn` throws, and an Error when SIGKILL did not end the process
 */
export async function runProcess(
  platform: Platform,
  argv: readonly string[],
  stdin: Uint8Array | undefined,
  limits: ProcessLimits,
): Promise<ProcessExit> {
  const started = performance.now();
  const env = { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" };
  const child = platform.spawn(argv, stdin === undefined ? { env } : { env, stdin });
  const stopper = new Stopper(child);
  const disarm = arm(stopper, limits);
  const stdout = new OutputCollector(limits.output_limit_bytes);
  const stderr = new OutputCollector(limits.output_limit_bytes);
  const overflow = limits.drop_excess_output ? () => {} : () => stopper.stop("output_limit");
  const reading = Promise.all([
    stdout.collect(child.stdout, overflow, teller("stdout", limits.onOutput)),
    stderr.collect(child.stderr, overflow, teller("stderr", limits.onOutput)),
  ]);
  try {
    const status = await stopper.ended;
    const wall_ms = Math.round(performance.now() - started);
    await within(reading, DRAIN_MS);
    const streams = { stdout: stdout.output, stderr: stderr.output };
    // A short program may have ended before its output was read and found too long.
    const overfull = !limits.drop_excess_output && (streams.stdout.truncated || streams.stderr.truncated);
    return { status, stop: stopper.reason ?? (overfull ? "output_limit" : null), ...streams, wall_ms };
  } finally {
    disarm();
  }
}

/** A listener that fails hears no more, and the run goes on. */
function teller(stream: "stdout" | "stderr", listener?: OutputListener): (chunk: Uint8Array) => void {
  let hears = listener;
  return (chunk) => {
    try {
      hears?.(stream, chunk);
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

/** Ends a process for the first reason given; later ones change nothing. */
class Stopper {
  /** The exit, or a rejection when SIGKILL did not work. */
  readonly ended: Promise<ExitStatus>;
  reason: StopReason | null = null;
  readonly #child: Child;
  #hasEnded = false;
  #fail: (error: Error) => void = () => {};

  constructor(child: Child) {
    this.#child = child;
    const stuck = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    const exited = child.exited.finally(() => {
      this.#hasEnded = true;
    });
    this.ended = Promise.race([exited, stuck]);
  }

  stop(reason: StopReason): void {
    if (this.reason !== null || this.#hasEnded) return;
    this.reason = reason;
    this.#kill().catch((error) => this.#fail(error));
  }

  /**
   * The sentry first: runsc then removes its cgroup and state by itself and ends some 10 ms later. A runsc without
   * children, or one that lingers, is killed too; its children die with it by their parent-death signal (prctl(2)).
   */
  async #kill(): Promise<void> {
    const { pid } = this.#child;
    const sandbox = await descendantsOf(pid);
    signalAll(sandbox, "SIGKILL");
    if (sandbox.length > 0) await within(this.#child.exited, CLEANUP_GRACE_MS);
    if (this.#hasEnded) return;
    await this.#killTree(pid);
    await within(this.#child.exited, KILL_DEADLINE_MS);
    if (!this.#hasEnded) throw new Error(`process ${pid} survives SIGKILL`);
  }

  /** All are held still first, from the root on: a process that goes on could start others anew. */
  async #killTree(pid: number): Promise<void> {
    const held = new Set<number>();
    for (
      let fresh = [pid];
      fresh.length > 0;
      fresh = (await descendantsOf(pid)).filter((each) => !held.has(each))
    ) {
      signalAll(fresh, "SIGSTOP");
      for (const each of fresh) held.add(each);
    }
    signalAll([...held], "SIGKILL");
  }
}

/** Waits for a promise, at most so long; tells nothing of its outcome. */
async function within(promise: Promise<unknown>, deadline_ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadline_ms);
  });
  await Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}
