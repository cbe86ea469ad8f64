import { availableParallelism } from "node:os";
import type { BenchContext } from "../bench-context.ts";
import { startBenchService } from "../bench-service.ts";
import { openBubblewrap } from "../bubblewrap.ts";
import { interleave } from "../interleave.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { WORKLOADS, type Workload } from "../workloads.ts";

/** One of those that run the workloads. */
interface Runner {
  readonly name: string;
  readonly run: (workload: Workload) => Promise<void>;
}

const RAW = "raw runsc run";

/** How long a cold run takes: raw runsc, Boxer in its configurations, and bubblewrap, in turn. */
export async function benchLatency(context: BenchContext): Promise<void> {
  const { options, report } = context;
  const runners = await openRunners(context);
  const rows = [];
  for (const workload of WORKLOADS) {
    const contenders = runners.map(({ name, run }) => ({ name, measure: () => timed(() => run(workload)) }));
    const measured = await interleave(contenders, options.runs);
    const base = summarize(measured.get(RAW) ?? []);
    for (const [name, times] of measured) {
      const summary = summarize(times);
      rows.push({
        workload: workload.name,
        runner: name,
        ...summary,
        ratio: ratio(summary.median, base.median),
        least_ratio: ratio(summary.least, base.least),
      });
    }
  }
  report.add("latency", {
    title: `Latency of a cold run in ms; ${options.runs} of each, in turn`,
    columns: [
      { key: "workload", label: "run" },
      { key: "runner", label: "by" },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
      { key: "p99", label: "p99" },
      { key: "ratio", label: "median / raw", digits: 3 },
      { key: "least_ratio", label: "least / raw", digits: 3 },
    ],
    rows,
  });
}

async function openRunners(context: BenchContext): Promise<Runner[]> {
  const raw = await openRawRunsc(context);
  const bubblewrap = await openBubblewrap(context, raw);
  const free = await startBenchService(context, "no-cgroups", { ignore_cgroups: true });
  return [
    { name: RAW, run: raw.run },
    { name: "Boxer, cgroups off", run: free.run },
    ...(await openLimited(context)),
    ...(bubblewrap === null ? [] : [{ name: "bubblewrap, no gVisor", run: bubblewrap }]),
  ];
}

async function openLimited(context: BenchContext): Promise<Runner[]> {
  if (!context.hasCgroups) {
    context.report.note("No figures with cgroups: none can be made here.");
    return [];
  }
  const limited = await startBenchService(context, "cgroups", { ignore_cgroups: false });
  const cores = availableParallelism();
  const withCores = (cpu_cores: number) => (workload: Workload) =>
    limited.run(workload, { limits: { cpu_cores } });
  return [
    { name: "Boxer, cgroups, 1 core", run: withCores(1) },
    ...(cores > 1 ? [{ name: `Boxer, cgroups, all ${cores} cores`, run: withCores(cores) }] : []),
  ];
}
