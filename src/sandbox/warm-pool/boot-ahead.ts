import type { BootShape } from "./boot-shape.ts";
import type { BootControl } from "./types.ts";

/** A boot under way: ahead of all runs, until one claims it. */
export class BootAhead<S> {
  /** See `keyOfShape`. */
  readonly key: string;
  readonly shape: BootShape;
  readonly control: BootControl;
  readonly #abort = new AbortController();
  readonly #claimed = Promise.withResolvers<void>();
  readonly #given = Promise.withResolvers<S | null>();

  constructor(key: string, shape: BootShape) {
    this.key = key;
    this.shape = shape;
    this.control = { signal: this.#abort.signal, claimed: this.#claimed.promise };
  }

  get isAborted(): boolean {
    return this.#abort.signal.aborted;
  }

  abort(): void {
    this.#abort.abort();
  }

  /** @returns what {@link give} is told */
  claim(): Promise<S | null> {
    this.#claimed.resolve();
    return this.#given.promise;
  }

  /** Tells the run that has claimed it what it gave; null: it failed. */
  give(sandbox: S | null): void {
    this.#given.resolve(sandbox);
  }
}
