import { existsSync } from "node:fs";
import { listenToPulse } from "../core/pulse.ts";
import type { StopReason } from "./run-process.ts";

/**
 * Throttles a run as soon as runsc has written its pid file: the sandbox is there then, the guest about to start. What it
 * has without its quota is a tenth of a CFS period of 100 ms, at most. A run that cannot be throttled does not go on.
 */
export class Throttle {
  /** Looks no more. */
  readonly cancel: () => void;
  #acting: Promise<void> | null = null;
  #fault: unknown = null;

  constructor(pidFile: string, act: () => Promise<void>) {
    this.cancel = listenToPulse(() => {
      if (!existsSync(pidFile)) return;
      this.cancel();
      this.#acting = act().catch((error) => {
        this.#fault = error;
      });
    });
  }

  /** Stops a run that could not be throttled. */
  readonly watch = async (): Promise<StopReason | null> => (this.#fault === null ? null : "canceled");

  /** To be called when the run is over. @throws what throttling gave */
  async end(): Promise<void> {
    this.cancel();
    await this.#acting;
    if (this.#fault !== null) throw this.#fault;
  }
}
