/** Time as the warm pool sees it; tests have one of their own. */
export interface PoolClock {
  /** Milliseconds that never go back. */
  now(): number;
  /**
   * Calls once, after so many milliseconds. Does not keep the process alive.
   * @returns takes that back
   */
  after(delay_ms: number, call: () => void): () => void;
}

/** The machine's own time. */
export const systemClock: PoolClock = {
  now: () => performance.now(),
  after(delay_ms, call) {
    const timer = setTimeout(call, delay_ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
