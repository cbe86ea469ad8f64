import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { listenToPulse } from "../../core/pulse.ts";
import { within } from "../../core/within.ts";
import { discardOutput } from "../../platform/run-command.ts";
import { prepareStart, rootOf } from "../bundle-start.ts";
import type { Launchpad } from "../launchpad/launchpad.ts";
import { signalAll } from "../process-tree.ts";
import type { RunscOptions } from "../runsc.ts";
import { Stopper } from "../stopper.ts";
import type { BootShape } from "../warm-pool/boot-shape.ts";
import type { Bootable, BootControl } from "../warm-pool/types.ts";
import { bootSpec } from "./boot-spec.ts";

/** A sandbox that waits for its tape; used for one run. */
export interface BootedSandbox extends Bootable {
  readonly pad: Launchpad;
  /** Lets it go on: it is held when it waits for long. To be called as soon as it is taken. */
  wake(): void;
}

/** What sandboxes are booted with. */
export interface BootParts {
  readonly runsc: RunscOptions;
  readonly emptyRoot: string;
  /** See `guestInit`. */
  readonly init: Uint8Array;
  takePad(): Promise<Launchpad>;
  /** How long a sandbox may take to be there. */
  readonly start_limit_ms: number;
}

/** How long a sandbox may take to end by itself. */
const END_GRACE_MS = 1_000;
/** What the guest's first program may take until it waits; what is left of that is done when it is taken. */
const SETTLE_MS = 50;
const HOLD_AFTER_MS = 2_000;

/**
 * Boots a sandbox that waits for its tape. Its cgroup is bound by what the shape says; the rest comes with the run.
 * One that a run waits for is given as soon as it is there.
 * @throws what making the launchpad gives, Error for a sandbox that is not there in time; then nothing stays behind
 */
export async function bootSandbox(
  parts: BootParts,
  shape: BootShape,
  { signal, claimed }: BootControl,
): Promise<BootedSandbox> {
  const pad = await parts.takePad();
  try {
    const { directory, cgroup } = pad;
    await makeControl(pad, parts.init);
    const image = rootOf(shape, directory);
    const spec = bootSpec({
      ...image,
      emptyRoot: parts.emptyRoot,
      outputDirectory: directory.output,
      control: directory.control,
    });
    const limits = { memory_mb: shape.memory_mb, cpu_cores: shape.cpus, pids_limit: null };
    const start = { image: shape, spec, limits, stdin: undefined, keepsInput: true };
    const launch = await prepareStart(parts.runsc, pad, pad, start);
    let wake = () => {};
    pad.cleanup.defer("booted sandbox", () => {
      wake();
      return endSandbox(pad);
    });
    await launch();
    const pid = await untilBooted(pad, parts.start_limit_ms, signal);
    await cgroup.throttle(limits);
    wake = holdLater(pad, pid);
    await Promise.race([sleep(SETTLE_MS, undefined, { signal }), claimed]);
    return { pad, wake, ended: pad.launcher.child.exited, discard: () => pad.cleanup.run() };
  } catch (error) {
    await pad.cleanup.run();
    throw error;
  }
}

/** The report belongs to root, as the guest's first program does. */
async function makeControl({ directory: { control }, cleanup }: Launchpad, init: Uint8Array): Promise<void> {
  cleanup.defer("control directory", () => rm(control.in, { recursive: true, force: true }));
  await Promise.all([mkdir(control.inputs, { recursive: true, mode: 0o700 }), mkdir(control.out)]);
  await Promise.all([writeFile(control.init, init, { mode: 0o755 }), writeFile(control.report, "")]);
}

/**
 * Holds the sentry still (SIGSTOP) once it has waited for a while: also one whose guest does nothing takes some 4 % of a
 * CPU for its timers. To go on takes it 2 to 8 ms, which those that are taken soon are spared.
 * @returns lets it go on, and holds it no more
 */
function holdLater({ launcher: { child } }: Launchpad, pid: number): () => void {
  let isHeld = false;
  const timer = setTimeout(() => {
    isHeld = true;
    signalAll([pid], "SIGSTOP");
  }, HOLD_AFTER_MS);
  // Its pid is nobody else's before runsc, which waits for it, has ended.
  const leave = () => {
    clearTimeout(timer);
    isHeld = false;
  };
  child.exited.then(leave, leave);
  return () => {
    if (isHeld) signalAll([pid], "SIGCONT");
    leave();
  };
}

/** @returns the pid of the sentry @throws Error when it is not there in time, or never will be; the signal's reason */
async function untilBooted(
  { directory, launcher }: Launchpad,
  limit_ms: number,
  signal: AbortSignal,
): Promise<number> {
  const deadline = performance.now() + limit_ms;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const end = () => reject(new Error("runsc has ended"));
  launcher.child.exited.then(end, end);
  const stopLooking = listenToPulse(() => {
    const pid = pidIn(directory.pidFile);
    if (pid !== null) resolve(pid);
    else if (signal.aborted) reject(signal.reason);
    else if (performance.now() > deadline) reject(new Error("runsc makes no sandbox"));
  });
  return await promise.finally(stopLooking);
}

/**
 * The file is there before anything is in it; and that a host out of descriptors cannot read it now is no fault yet. Looked
 * at without the thread pool: the way to another thread takes longer.
 */
function pidIn(file: string): number | null {
  if (!existsSync(file)) return null;
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** One whose input ends before there is a tape ends by itself, and so cleans up by itself. */
async function endSandbox({ launcher: { child } }: Launchpad): Promise<void> {
  child.stdin?.end();
  // Those of a run have been read.
  discardOutput(child);
  if ((await within(child.exited, END_GRACE_MS)) !== "late") return;
  const stopper = new Stopper(child);
  stopper.stop("canceled");
  await stopper.ended;
}
