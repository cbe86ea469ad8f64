/** A piece of work that several wait for. */
interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Work done once for all who want it at the same time, by key. It goes on while any of them waits, and is aborted
 * when the last has gone. Nothing is remembered once it has ended, well or badly.
 */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>();
  /** Those under way, the abandoned ones included: they may still be cleaning up. */
  readonly #running = new Set<Promise<unknown>>();

  /**
   * Waits for the work of this key, which is started unless it is under way.
   * @param start is given a signal that aborts when nobody waits any more
   * @throws the signal's reason when that aborts first; else what the work throws
   */
  join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiting++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const leave = (): void => {
      reject(signal.reason);
      if (--flight.waiting === 0) this.#abandon(key, flight, signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    const stay = (): void => signal.removeEventListener("abort", leave);
    flight.result.finally(stay).then(resolve, reject);
    return promise;
  }

  /**
   * As `join`, but what others started may fail for reasons of theirs, such as credentials: then it is tried anew,
   * until a start of our own fails.
   */
  async joinOrRetry(
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      let isOurs = false;
      try {
        return await this.join(key, signal, (shared) => {
          isOurs = true;
          return start(shared);
        });
      } catch (error) {
        if (isOurs || signal.aborted) throw error;
      }
    }
  }

  /** Aborts all work and waits until it has ended. */
  async close(reason: Error): Promise<void> {
    for (const [key, flight] of this.#flights) this.#abandon(key, flight, reason);
    await Promise.allSettled(this.#running);
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const result = start(controller.signal);
    const flight: Flight<T> = { result, controller, waiting: 0 };
    this.#flights.set(key, flight);
    this.#running.add(result);
    const end = (): void => {
      this.#running.delete(result);
      this.#forget(key, flight);
    };
    result.then(end, end);
    return flight;
  }

  #abandon(key: string, flight: Flight<T>, reason: unknown): void {
    this.#forget(key, flight);
    flight.controller.abort(reason);
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
