/**
 * A signal that aborts with another one, or with `reason` after so many milliseconds. `stop` must be called when the
 * work is done, or the timer keeps the process.
 */
export function withDeadline(
  signal: AbortSignal,
  duration_ms: number,
  reason: () => Error,
): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(reason()), duration_ms);
  return { signal: AbortSignal.any([signal, controller.signal]), stop: () => clearTimeout(timer) };
}
