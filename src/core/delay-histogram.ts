/** The upper end of the first bucket. */
const FIRST_MS = 0.1;
/** How much wider each bucket is than the one before: as much a quantile may be too high. */
const GROWTH = 1.1;
/** The last one begins at a quarter of an hour and has no end. */
const BUCKETS = 170;

/** Counts delays in buckets that widen, so that any number of them takes the same little memory. */
export class DelayHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  max_ms = 0;

  add(delay_ms: number): void {
    this.#count += 1;
    this.max_ms = Math.max(this.max_ms, delay_ms);
    const at = bucketOf(delay_ms);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /**
   * The smallest delay that at least `share` of them do not pass, or up to a tenth more; 0 of none.
   * @param share from 0 to 1: 0.99 is p99
   */
  quantile_ms(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [at, count] of this.#counts.subarray(0, BUCKETS - 1).entries()) {
      seen += count;
      if (seen >= rank) return Math.min(this.max_ms, FIRST_MS * GROWTH ** at);
    }
    return this.max_ms;
  }
}

/** Bucket 0 goes up to {@link FIRST_MS}, each further one to {@link GROWTH} times the one before. */
function bucketOf(delay_ms: number): number {
  if (delay_ms <= FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(delay_ms / FIRST_MS) / Math.log(GROWTH)));
}
