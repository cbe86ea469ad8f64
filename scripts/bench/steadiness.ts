import { ratio } from "./ratio.ts";

/** How fast one of those compared did some workload with so many at a time. */
export type Rate = {
  readonly workload: string;
  readonly runner: string;
  readonly concurrency: number;
  readonly runs_per_s: number;
};

/** How much of its best throughput each keeps with the most at a time; in the order in which they come. Pure. */
export function steadiness(rates: readonly Rate[]) {
  const groups = Map.groupBy(rates, ({ workload, runner }) => `${workload}\n${runner}`);
  return [...groups.values()].flatMap((group) => {
    const best = group.toSorted((a, b) => b.runs_per_s - a.runs_per_s)[0];
    const last = group.toSorted((a, b) => b.concurrency - a.concurrency)[0];
    if (!best || !last) return [];
    return {
      workload: last.workload,
      runner: last.runner,
      best_per_s: best.runs_per_s,
      best_at: best.concurrency,
      last_per_s: last.runs_per_s,
      last_at: last.concurrency,
      ratio: ratio(last.runs_per_s, best.runs_per_s),
    };
  });
}
