/** The worst delay of a service's event loop in some time. */
export type LoopDelay = {
  /** How late something came that was due, for whatever reason. */
  readonly late_ms: number;
  /** How much of that the service itself computed, at most; else others had the processors. */
  readonly computing_ms: number;
};

/**
 * Reads the answer of `GET /metrics`. Pure.
 * @throws Error when it does not tell
 */
export function parseLoopDelay(metrics: string): LoopDelay {
  return {
    late_ms: worstMs(metrics, "boxer_event_loop_delay_seconds"),
    computing_ms: worstMs(metrics, "boxer_event_loop_blocked_seconds"),
  };
}

function worstMs(metrics: string, name: string): number {
  const seconds = new RegExp(`^${name}\\{quantile="1"\\} ([\\d.e-]+)$`, "m").exec(metrics)?.[1];
  if (seconds === undefined) throw new Error(`/metrics does not tell ${name}`);
  return 1000 * Number(seconds);
}
