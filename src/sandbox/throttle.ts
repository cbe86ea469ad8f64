import { existsSync } from "node:fs";
import type { StopReason } from "./run-process.ts";

/** Between two looks for the sandboxes: what a guest may have without its quota, at most, of a CFS period of 100 ms. */
const LOOK_INTERVAL_MS = 10;

/** Looks of all runs by one timer: to be woken costs this process some twenty times what a look does. */
class Looks {
  readonly #looks = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  add(look: () => void): void {
    this.#looks.add(look);
    this.#timer ??= setInterval(() => {
      for (const each of this.#looks) each();
    }, LOOK_INTERVAL_MS);
  }

  delete(look: () => void): void {
    this.#looks.delete(look);
    if (this.#looks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const looks = new Looks();

/**
 * Throttles a run as soon as runsc has written its pid file: the sandbox is there then, the guest about to start. A run
 * that cannot be throttled does not go on.
 */
export class Throttle {
  readonly #look: () => void;
  #acting: Promise<void> | null = null;
  #fault: unknown = null;

  constructor(pidFile: string, act: () => Promise<void>) {
    this.#look = () => {
      if (!existsSync(pidFile)) return;
      this.cancel();
      this.#acting = act().catch((error) => {
        this.#fault = error;
      });
    };
    looks.add(this.#look);
  }

  /** Stops a run that could not be throttled. */
  readonly watch = async (): Promise<StopReason | null> => (this.#fault === null ? null : "canceled");

  /** To be called when the run is over. @throws what throttling gave */
  async end(): Promise<void> {
    this.cancel();
    await this.#acting;
    if (this.#fault !== null) throw this.#fault;
  }

  /** Looks no more. */
  cancel(): void {
    looks.delete(this.#look);
  }
}
