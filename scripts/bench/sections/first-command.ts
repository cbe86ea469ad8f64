import { type Arrivals, arrive, STAGGER_MS } from "../arrivals.ts";
import type { BenchContext } from "../bench-context.ts";
import { COLD, startBenchService } from "../bench-service.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO } from "../workloads.ts";

const PATTERNS: Readonly<Record<Arrivals, string>> = {
  sequential: "sequential",
  staggered: `staggered, one each ${STAGGER_MS} ms`,
  burst: "burst, all at once",
};

/**
 * How long it takes from asking for a sandbox to the answer of its first command: with Boxer one `POST /run` of `echo`.
 * Runs come in the three ways in which services for sandboxes are compared.
 */
export async function benchFirstCommand(context: BenchContext): Promise<void> {
  const count = context.options.first_commands;
  const raw = await openRawRunsc(context);
  await raw.prepare(ECHO, count);
  const cold = await startBenchService(context, "cold", COLD);
  const whole = await startBenchService(context, "as-it-comes");
  const contenders = [
    { name: "raw runsc run", run: (index: number) => raw.run(ECHO, index), settle: async () => {} },
    { name: "Boxer, cold", run: () => cold.run(ECHO), settle: cold.settle },
    { name: "Boxer, as it comes", run: () => whole.run(ECHO), settle: whole.settle },
  ];
  for (const { run } of contenders) await run(0);
  const rows = [];
  for (const arrivals of Object.keys(PATTERNS) as Arrivals[]) {
    let base: number | undefined;
    for (const { name, run, settle } of contenders) {
      // What the pattern before has had booted for those to come is no part of this one.
      await settle();
      let times: number[] = [];
      const all_s =
        (await timed(async () => {
          times = await arrive(arrivals, count, run);
        })) / 1000;
      const summary = summarize(times);
      base ??= summary.median;
      rows.push({
        pattern: PATTERNS[arrivals],
        runner: name,
        ...summary,
        ratio: ratio(summary.median, base),
        all_s,
      });
    }
  }
  context.report.add("ttfc", {
    title: `Time to the first command in ms; ${count} sandboxes in each pattern`,
    columns: [
      { key: "pattern", label: "sandboxes come" },
      { key: "runner", label: "by" },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
      { key: "p99", label: "p99" },
      { key: "ratio", label: "median / raw", digits: 2 },
      { key: "all_s", label: "until all were done, s" },
    ],
    rows,
  });
}
