import type { Logger } from "pino";

/** Work that nobody waits for now, but that must have ended before the owner is closed. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts work; `what` names it in the log line of its failure. */
  start(what: string, work: () => Promise<unknown>): void {
    const running: Promise<void> = work()
      .then(
        () => {},
        (err) => this.#log.error({ err }, `cannot ${what}`),
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Settles when all work has ended. Never rejects. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
