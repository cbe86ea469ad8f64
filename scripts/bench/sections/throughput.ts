import type { BenchContext } from "../bench-context.ts";
import { AS_IT_COMES, COLD, startBenchService } from "../bench-service.ts";
import { type CpuAccount, openCpuAccount } from "../cpu-account.ts";
import { type Load, measureLoad } from "../measure-load.ts";
import { median } from "../median.ts";
import { ratio } from "../ratio.ts";
import { openRawRunsc } from "../raw-runsc.ts";
import { ECHO, PRINT_42, type Workload } from "../workloads.ts";

interface Loaded {
  readonly name: string;
  readonly pid: number | null;
  readonly run: (workload: Workload, slot: number) => Promise<void>;
}

/** How many runs a second there are with so many at a time, and what each costs. */
export async function benchThroughput(context: BenchContext): Promise<void> {
  const { options, report } = context;
  const account = await openCpuAccount(context.cleanup);
  const loaded = await openLoaded(context);
  const rows = [];
  for (const workload of [ECHO, PRINT_42]) {
    for (const concurrency of options.concurrency) {
      const loads = await takeTurns(context, account, loaded, workload, concurrency);
      const medianOf = (all: readonly Load[], key: keyof Load) => median(all.map((load) => load[key] ?? 0));
      const base = medianOf(loads.get(null) ?? [], "runs_per_s");
      for (const { name, pid } of loaded) {
        const all = loads.get(pid) ?? [];
        const runs_per_s = medianOf(all, "runs_per_s");
        rows.push({
          workload: workload.name,
          concurrency,
          runner: name,
          runs_per_s,
          ratio: ratio(runs_per_s, base),
          cpu_ms_per_run: medianOf(all, "cpu_ms_per_run"),
          service_cpu_ms_per_run: pid === null ? null : medianOf(all, "service_cpu_ms_per_run"),
          peak_memory_mb: pid === null ? null : medianOf(all, "peak_memory_mb"),
        });
      }
    }
  }
  const { windows, window_secs } = options;
  report.add("throughput", {
    title: `Throughput; medians of ${windows} windows of ${window_secs} s, in turn; CPU of ${account.scope}`,
    columns: [
      { key: "workload", label: "run" },
      { key: "concurrency", label: "at a time", digits: 0 },
      { key: "runner", label: "by" },
      { key: "runs_per_s", label: "runs / s" },
      { key: "ratio", label: "/ raw", digits: 2 },
      { key: "cpu_ms_per_run", label: "CPU ms / run" },
      { key: "service_cpu_ms_per_run", label: "of it the service" },
      { key: "peak_memory_mb", label: "peak RSS, MB", digits: 0 },
    ],
    rows,
  });
}

/** Raw runsc is the one without a process to be watched. */
async function openLoaded(context: BenchContext): Promise<Loaded[]> {
  const most = Math.max(...context.options.concurrency);
  const raw = await openRawRunsc(context);
  for (const workload of [ECHO, PRINT_42]) await raw.prepare(workload, most);
  const free = await startBenchService(context, "no-cgroups", {
    ...COLD,
    ignore_cgroups: true,
    max_concurrent_runs: most,
  });
  const loaded: Loaded[] = [
    { name: "raw runsc run", pid: null, run: raw.run },
    { name: "Boxer, cold, cgroups off", pid: free.pid, run: (workload) => free.run(workload) },
  ];
  if (!context.hasCgroups) return loaded;
  const limited = await startBenchService(context, "cgroups", { ...AS_IT_COMES, ignore_cgroups: false });
  return [
    ...loaded,
    { name: "Boxer, as it comes", pid: limited.pid, run: (workload) => limited.run(workload) },
  ];
}

/** @returns the windows of each, by the process that was watched */
async function takeTurns(
  { options }: BenchContext,
  account: CpuAccount,
  loaded: readonly Loaded[],
  workload: Workload,
  concurrency: number,
): Promise<Map<number | null, Load[]>> {
  const loads = new Map<number | null, Load[]>(loaded.map(({ pid }) => [pid, []]));
  for (let window = 0; window < options.windows; window += 1) {
    for (const { pid, run } of loaded) {
      const load = await measureLoad({ concurrency, seconds: options.window_secs, pid, account }, (slot) =>
        run(workload, slot),
      );
      loads.get(pid)?.push(load);
    }
  }
  return loads;
}
