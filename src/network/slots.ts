/**
 * Hands out numbers, each to one holder at a time, and goes round all of them before one comes again: nothing that is on
 * its way to an ended run meets the next one with its addresses.
 */
export class Slots {
  readonly #count: number;
  readonly #used = new Set<number>();
  #next: number;

  /** @param first where the round begins */
  constructor(count: number, first: number) {
    this.#count = count;
    this.#next = first % count;
  }

  /** @returns a number that nobody holds, or null when all are held */
  take(): number | null {
    for (let tried = 0; tried < this.#count; tried += 1) {
      const slot = this.#next;
      this.#next = (slot + 1) % this.#count;
      if (this.#used.has(slot)) continue;
      this.#used.add(slot);
      return slot;
    }
    return null;
  }

  /** Gives a number back. */
  release(slot: number): void {
    this.#used.delete(slot);
  }
}
