/** So many wrong guesses cost nothing: people mistype. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Who has not guessed wrong for so long begins anew. */
const FORGET_MS = 15 * 60_000;
/** Clients that are told apart; more than these wait together. */
const MAX_CLIENTS = 1_000;
const OTHERS = "";

interface Failures {
  readonly count: number;
  readonly last_ms: number;
}

/**
 * Slows down who guesses secrets: after some wrong ones a client has to wait before each further one, twice as long each
 * time, a minute at most. While it waits not even the right one is looked at.
 */
export class Throttle {
  readonly #now: () => number;
  /** Those who failed last are last. */
  readonly #clients = new Map<string, Failures>();

  /** @param now a clock, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long this client has to wait before it may guess; 0: not at all. */
  wait_ms(client: string): number {
    this.#forget();
    const { count, last_ms } = this.#clients.get(this.#keyOf(client)) ?? { count: 0, last_ms: 0 };
    if (count < FREE_FAILURES) return 0;
    const wait_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - FREE_FAILURES));
    return Math.max(0, last_ms + wait_ms - this.#now());
  }

  /** Notes a wrong guess. */
  failed(client: string): void {
    const key = this.#keyOf(client);
    const count = (this.#clients.get(key)?.count ?? 0) + 1;
    this.#clients.delete(key);
    this.#clients.set(key, { count, last_ms: this.#now() });
  }

  /** Notes a right one. Those who wait together go on to. */
  succeeded(client: string): void {
    this.#clients.delete(client);
  }

  #keyOf(client: string): string {
    return this.#clients.has(client) || this.#clients.size < MAX_CLIENTS ? client : OTHERS;
  }

  #forget(): void {
    for (const [client, { last_ms }] of this.#clients) {
      if (this.#now() - last_ms < FORGET_MS) return;
      this.#clients.delete(client);
    }
  }
}
