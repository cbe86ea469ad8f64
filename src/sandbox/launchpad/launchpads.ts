import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { messageOf } from "../../core/errors.ts";
import type { Launchpad } from "./launchpad.ts";

/** Makes launchpads ahead of the runs that take them. */
export class Launchpads {
  readonly #make: (id: string) => Promise<Launchpad>;
  readonly #size: number;
  readonly #log: Logger;
  readonly #ready: Launchpad[] = [];
  #filling: Promise<void> | null = null;
  #isClosed = false;

  /**
   * @param make see `makeLaunchpad`
   * @param size how many are kept ready
   */
  constructor(make: (id: string) => Promise<Launchpad>, size: number, log: Logger) {
    this.#make = make;
    this.#size = size;
    this.#log = log;
  }

  /** Those that wait. */
  get ready(): readonly Launchpad[] {
    return this.#ready;
  }

  /** One that is ready, else a new one. The caller gives it back by its cleanup. @throws what making one gives */
  async take(): Promise<Launchpad> {
    for (let pad = this.#ready.shift(); pad; pad = this.#ready.shift()) {
      if (pad.launcher.isWaiting) return pad;
      // Killed by somebody, or the host was short of memory.
      void pad.cleanup.run();
    }
    return await this.#make(`boxer-${randomUUID()}`);
  }

  /** Makes what is missing, one at a time and in the background: to be called when a run has ended, so as to delay none. */
  refill(): void {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
  }

  async #fill(): Promise<void> {
    try {
      while (!this.#isClosed && this.#ready.length < this.#size) {
        this.#ready.push(await this.#make(`boxer-${randomUUID()}`));
      }
    } catch (error) {
      // The next run meets the same, and tells its client.
      this.#log.debug({ reason: messageOf(error) }, "cannot prepare a run ahead");
    }
  }

  /** Gives back all that wait; none is made any more unless it is asked for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((pad) => pad.cleanup.run()));
  }
}
