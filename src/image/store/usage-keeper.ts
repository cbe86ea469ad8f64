import { clearTimeout, setTimeout } from "node:timers";
import type { Background } from "../background.ts";

export interface UsageKeeperOptions {
  /** Writes the present state. */
  readonly write: () => Promise<void>;
  readonly background: Background;
  /** Longest time that a change waits for being written. Default 10 s. */
  readonly delay_ms?: number;
}

const DELAY_MS = 10_000;

/** Has what changes with each use written now and then, so that a use itself costs no file operation. */
export class UsageKeeper {
  readonly #options: UsageKeeperOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UsageKeeperOptions) {
    this.#options = options;
  }

  /** Something has changed. */
  touch(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#options.delay_ms ?? DELAY_MS).unref();
  }

  /** Begins to write what is not written yet. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { write, background } = this.#options;
    background.start("write down when images were used", write);
  }
}
