import { median } from "./median.ts";
import { percentile } from "./percentile.ts";

/** What a table says of many measurements of one thing. */
export type Summary = {
  readonly runs: number;
  /** What it took where nothing else was in the way. */
  readonly least: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
};

/** Sums up measurements, in their own unit. Pure. With fewer than 100 of them p99 is the largest. */
export function summarize(values: readonly number[]): Summary {
  return {
    runs: values.length,
    least: percentile(values, 0),
    median: median(values),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
  };
}
