import type { Percentiles } from "../dashboard-data.ts";

/** The 50th and 95th percentile by nearest rank, or null for no times. Pure. */
export function percentilesOf(times_ms: readonly number[]): Percentiles | null {
  if (times_ms.length === 0) return null;
  const sorted = times_ms.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50_ms: rank(0.5), p95_ms: rank(0.95) };
}
