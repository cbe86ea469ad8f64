import type { Logger } from "pino";

const SWEEPS_PER_TTL = 24;
const SHORTEST_INTERVAL_MS = 1_000;
const LONGEST_INTERVAL_MS = 60 * 60 * 1000;

/** How often to look for files that have expired. Pure. */
export function expiryInterval(ttl_ms: number): number {
  return Math.min(Math.max(ttl_ms / SWEEPS_PER_TTL, SHORTEST_INTERVAL_MS), LONGEST_INTERVAL_MS);
}

/**
 * Looks for expired files now and at intervals, each time when the time before has ended. Does not keep the process
 * alive.
 * @param sweep removes what has expired; a fault is logged, and the next time tries again
 * @returns ends it, and settles when the sweep under way has
 */
export function startExpiry(
  sweep: (signal: AbortSignal) => Promise<void>,
  interval_ms: number,
  log: Logger,
): () => Promise<void> {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = async (): Promise<void> => {
    try {
      await sweep(stop.signal);
    } catch (err) {
      log.error({ err }, "cannot remove expired files");
    }
    if (stop.signal.aborted) return;
    timer = setTimeout(() => {
      running = next();
    }, interval_ms);
    timer.unref();
  };
  let running = next();
  return async () => {
    stop.abort();
    clearTimeout(timer);
    await running;
  };
}
