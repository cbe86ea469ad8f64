/**
 * The smallest of some numbers that at least `share` of them do not pass (nearest rank); NaN of none. Pure.
 * @param share from 0 to 1: 0.95 is p95
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
