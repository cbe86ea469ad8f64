import type { BenchContext } from "../bench-context.ts";
import { COLD, startBenchService, WARM } from "../bench-service.ts";
import { openBubblewrap } from "../bubblewrap.ts";
import { interleave } from "../interleave.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { summarize } from "../summarize.ts";
import { warmUp } from "../warm-up.ts";
import { WORKLOADS, type Workload } from "../workloads.ts";

/** One of those that run the workloads. */
interface Runner {
  readonly name: string;
  /** Up to the last byte that comes of it. @returns what is done then and no part of it */
  readonly run: (workload: Workload) => Promise<() => unknown>;
}

/** Of each workload. */
const WARM_UP_RUNS = 20;
const RAW = "raw runsc run";

/** How long a run takes: raw runsc, Boxer cold and warm, and bubblewrap, in turn. */
export async function benchLatency(context: BenchContext): Promise<void> {
  const { options, report } = context;
  const runners = await openRunners(context);
  const rows = [];
  for (const workload of WORKLOADS) {
    const contenders = runners.map(({ name, run }) => ({
      name,
      async measure() {
        const started = performance.now();
        const finish = await run(workload);
        const time_ms = performance.now() - started;
        await finish();
        return time_ms;
      },
    }));
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
    title: `Latency of a run in ms; ${options.runs} of each, in turn`,
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
  if (!context.hasCgroups) context.report.note("No figures with cgroups: none can be made here.");
  return [
    { name: RAW, run: alone(raw.run) },
    await openBoxer(context, "Boxer, cold, cgroups off", { ...COLD, ignore_cgroups: true }),
    ...(context.hasCgroups ? [await openBoxer(context, "Boxer, cold", COLD)] : []),
    await openBoxer(context, "Boxer, warm", WARM),
    ...(bubblewrap === null ? [] : [{ name: "bubblewrap, no gVisor", run: alone(bubblewrap) }]),
  ];
}

/** Of one that is done when it is done. */
function alone(run: (workload: Workload) => Promise<void>): Runner["run"] {
  return async (workload) => {
    await run(workload);
    return () => {};
  };
}

/** What is made ready for the next run is no part of one: neither of its own nor of others'. */
async function openBoxer(context: BenchContext, name: string, config: object): Promise<Runner> {
  const service = await startBenchService(context, name.replaceAll(/\W+/g, "-"), { ...config });
  await warmUp(service, WORKLOADS, WARM_UP_RUNS);
  await service.settle();
  const run = async (workload: Workload) => {
    const check = await service.send(workload);
    return async () => {
      check();
      await service.settle();
    };
  };
  return { name, run };
}
