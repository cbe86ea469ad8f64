import { existsSync } from "node:fs";
import type { StopReason } from "./run-process.ts";

/** Between two looks for the sandbox: what a guest may have without its quota, at most. */
const LOOK_INTERVAL_MS = 5;

/**
 * Throttles a run as soon as runsc has written its pid file: the sandbox is there then, the guest about to start. A run
 * that cannot be throttled does not go on.
 */
export class Throttle {
  readonly #timer: ReturnType<typeof setInterval>;
  #acting: Promise<void> | null = null;
  #fault: unknown = null;

  constructor(pidFile: string, act: () => Promise<void>) {
    this.#timer = setInterval(() => {
      if (!existsSync(pidFile)) return;
      clearInterval(this.#timer);
      this.#acting = act().catch((error) => {
        this.#fault = error;
      });
    }, LOOK_INTERVAL_MS);
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
    clearInterval(this.#timer);
  }
}
