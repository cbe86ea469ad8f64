import { within } from "../core/within.ts";
import type { Child, ExitStatus } from "../platform/platform.ts";
import { descendantsOf, signalAll } from "./process-tree.ts";
import type { StopReason } from "./run-process.ts";

/** How long runsc may take to clean up after its sentry was killed, before it is killed as well. */
const CLEANUP_GRACE_MS = 300;
/** How long SIGKILL may take to end a process tree; past it the kernel itself is stuck. */
const KILL_DEADLINE_MS = 10_000;

/** Ends a process for the first reason given; later ones change nothing. */
export class Stopper {
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
