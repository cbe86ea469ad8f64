/** How many of the latest runs count. */
const REMEMBERED = 32;
const MAX_SECS = 600;

/** Estimates when a place will be free, from how long the latest runs held theirs. */
export class RetryEstimate {
  readonly #durations_ms: number[] = [];

  /** Takes note of a run that has ended. */
  add(duration_ms: number): void {
    this.#durations_ms.push(duration_ms);
    if (this.#durations_ms.length > REMEMBERED) this.#durations_ms.shift();
  }

  /**
   * The time until those who wait now have all had their turn, in whole seconds from 1 to 600; 1 before any run ended.
   * @param active runs under way
   * @param waiting runs that wait
   */
  secs(active: number, waiting: number): number {
    const count = this.#durations_ms.length;
    if (count === 0) return 1;
    const mean_ms = this.#durations_ms.reduce((sum, value) => sum + value, 0) / count;
    const wait_ms = (mean_ms * (waiting + 1)) / Math.max(1, active);
    return Math.min(MAX_SECS, Math.max(1, Math.ceil(wait_ms / 1000)));
  }
}
