import type { BenchContext } from "../bench-context.ts";
import { COLD, startBenchService } from "../bench-service.ts";
import { type CpuAccount, openCpuAccount } from "../cpu-account.ts";
import { type Load, measureLoad, type Watched } from "../measure-load.ts";
import { median } from "../median.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { type Rate, steadiness } from "../steadiness.ts";
import { summarize } from "../summarize.ts";
import { warmUp } from "../warm-up.ts";
import { ECHO, PRINT_42, type Workload } from "../workloads.ts";

interface Loaded {
  readonly name: string;
  readonly watched: Watched | null;
  readonly run: (workload: Workload, slot: number) => Promise<void>;
}

/** Of each workload. */
const WARM_UP_RUNS = 100;

/** How many runs a second there are with so many at a time, how long each takes then, and what it costs. */
export async function benchThroughput(context: BenchContext): Promise<void> {
  const { options } = context;
  const account = await openCpuAccount(context.cleanup);
  const loaded = await openLoaded(context);
  const rows = [];
  for (const workload of [ECHO, PRINT_42]) {
    for (const concurrency of options.concurrency) {
      const loads = await takeTurns(context, account, loaded, workload, concurrency);
      rows.push(...rowsOf(loads).map((row) => ({ ...row, workload: workload.name, concurrency })));
    }
  }
  reportRates(context, rows);
  reportCosts(context, account, rows);
  reportSteadiness(context, rows);
}

/** Medians of the windows; times are those of all windows together, delays the worst of all. */
function rowsOf(loads: ReadonlyMap<string, readonly Load[]>) {
  const medianOf = (all: readonly Load[], quantity: (load: Load) => number | null) => {
    const values = all.map(quantity).filter((value) => value !== null);
    return values.length > 0 ? median(values) : null;
  };
  const worst = (values: readonly (number | undefined)[]) => {
    const told = values.filter((value) => value !== undefined);
    return told.length > 0 ? Math.max(...told) : null;
  };
  let base: number | undefined;
  return [...loads].map(([runner, all]) => {
    const runs_per_s = median(all.map((load) => load.runs_per_s));
    base ??= runs_per_s;
    return {
      runner,
      runs_per_s,
      ratio: ratio(runs_per_s, base),
      ...summarize(all.flatMap(({ times_ms }) => times_ms)),
      cpu_ms_per_run: median(all.map((load) => load.cpu_ms_per_run)),
      service_cpu_ms_per_run: medianOf(all, (load) => load.service_cpu_ms_per_run),
      peak_memory_mb: medianOf(all, (load) => load.peak_memory_mb),
      late_ms: worst(all.map(({ loop_delay }) => loop_delay?.late_ms)),
      computing_ms: worst(all.map(({ loop_delay }) => loop_delay?.computing_ms)),
    };
  });
}

type Row = ReturnType<typeof rowsOf>[number] & Rate;

const WHOSE = [
  { key: "workload", label: "run" },
  { key: "concurrency", label: "at a time", digits: 0 },
  { key: "runner", label: "by" },
] as const;

function windowsOf({ options }: BenchContext): string {
  return `${options.windows} windows of ${options.window_secs} s, in turn`;
}

function reportRates(context: BenchContext, rows: readonly Row[]): void {
  context.report.add("throughput", {
    title: `Throughput: medians of ${windowsOf(context)}; time of a run in ms, of all windows`,
    columns: [
      ...WHOSE,
      { key: "runs_per_s", label: "runs / s" },
      { key: "ratio", label: "/ raw", digits: 2 },
      { key: "median", label: "p50, ms", digits: 0 },
      { key: "p95", label: "p95", digits: 0 },
      { key: "p99", label: "p99", digits: 0 },
      { key: "runs", label: "runs", digits: 0 },
    ],
    rows,
  });
}

function reportCosts(context: BenchContext, account: CpuAccount, rows: readonly Row[]): void {
  context.report.add("throughput", {
    title: `Cost of a run in the same windows; CPU of ${account.scope}; worst delay of the service's event loop`,
    columns: [
      ...WHOSE,
      { key: "cpu_ms_per_run", label: "CPU ms / run" },
      { key: "service_cpu_ms_per_run", label: "of it the service" },
      { key: "peak_memory_mb", label: "peak RSS, MB", digits: 0 },
      { key: "late_ms", label: "loop late, ms" },
      { key: "computing_ms", label: "of it computing, at most" },
    ],
    rows,
  });
}

function reportSteadiness({ report }: BenchContext, rows: readonly Row[]): void {
  report.add("throughput", {
    title: "Steadiness: throughput with most runs at a time against the best",
    columns: [
      { key: "workload", label: "run" },
      { key: "runner", label: "by" },
      { key: "best_per_s", label: "best, runs / s" },
      { key: "best_at", label: "at a time", digits: 0 },
      { key: "last_per_s", label: "with most, runs / s" },
      { key: "last_at", label: "at a time", digits: 0 },
      { key: "ratio", label: "most / best", digits: 2 },
    ],
    rows: steadiness(rows),
  });
}

/** Raw runsc is the one without a process to be watched. */
async function openLoaded(context: BenchContext): Promise<Loaded[]> {
  const most = Math.max(...context.options.concurrency);
  const raw = await openRawRunsc(context);
  for (const workload of [ECHO, PRINT_42]) await raw.prepare(workload, most);
  const cold = await startBenchService(context, "cold", COLD);
  const whole = await startBenchService(context, "as-it-comes");
  for (const service of [cold, whole]) await warmUp(service, [ECHO, PRINT_42], WARM_UP_RUNS);
  return [
    { name: "raw runsc run", watched: null, run: raw.run },
    { name: "Boxer, cold", watched: cold, run: (workload) => cold.run(workload) },
    { name: "Boxer, as it comes", watched: whole, run: (workload) => whole.run(workload) },
  ];
}

/** @returns the windows of each, by its name */
async function takeTurns(
  { options }: BenchContext,
  account: CpuAccount,
  loaded: readonly Loaded[],
  workload: Workload,
  concurrency: number,
): Promise<Map<string, Load[]>> {
  const loads = new Map<string, Load[]>(loaded.map(({ name }) => [name, []]));
  for (let window = 0; window < options.windows; window += 1) {
    for (const { name, watched, run } of loaded) {
      const seconds = options.window_secs;
      const load = await measureLoad({ concurrency, seconds, watched, account }, (slot) =>
        run(workload, slot),
      );
      loads.get(name)?.push(load);
    }
  }
  return loads;
}
