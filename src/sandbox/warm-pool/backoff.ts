import { type BootShape, keyOfShape } from "./boot-shape.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

interface Pause {
  readonly shape: BootShape;
  readonly failures: number;
  readonly until_ms: number;
}

/** Keeps shapes that cannot be booted from being tried again and again: each pause is twice as long, up to minutes. */
export class Backoff {
  readonly #pauses = new Map<string, Pause>();

  /**
   * Counts a failure.
   * @returns whether it is the first in a row
   */
  fail(shape: BootShape, now_ms: number): boolean {
    this.#forgetOld(now_ms);
    const key = keyOfShape(shape);
    const failures = (this.#pauses.get(key)?.failures ?? 0) + 1;
    const pause_ms = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    this.#pauses.set(key, { shape, failures, until_ms: now_ms + pause_ms });
    return failures === 1;
  }

  /** Forgets the failures of shapes. */
  forget(matches: (shape: BootShape) => boolean): void {
    for (const [key, { shape }] of this.#pauses) if (matches(shape)) this.#pauses.delete(key);
  }

  /** Forgets the failures of a shape, by its key: it has proved good. */
  clear(key: string): void {
    this.#pauses.delete(key);
  }

  /** Whether a shape, by its key, is to be left alone. */
  isPaused(key: string, now_ms: number): boolean {
    return (this.#pauses.get(key)?.until_ms ?? 0) > now_ms;
  }

  /** When the next pause ends; infinite when none is to end. */
  nextEnd(now_ms: number): number {
    const ends = [...this.#pauses.values()].map(({ until_ms }) => until_ms).filter((end) => end > now_ms);
    return Math.min(Number.POSITIVE_INFINITY, ...ends);
  }

  /** What has not been tried again for so long is not asked for any more. */
  #forgetOld(now_ms: number): void {
    for (const [key, { until_ms }] of this.#pauses) {
      if (until_ms + LONGEST_PAUSE_MS < now_ms) this.#pauses.delete(key);
    }
  }
}
