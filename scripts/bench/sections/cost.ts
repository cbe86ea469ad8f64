import { join } from "node:path";
import { tryCommand } from "../../setup/command.ts";
import type { BenchContext } from "../bench-context.ts";
import { type BenchService, COLD, startBenchService } from "../bench-service.ts";
import { summarize } from "../summarize.ts";
import { traceService } from "../trace-service.ts";
import { ECHO, WORKLOADS } from "../workloads.ts";

/** Runs by which what the service counts is divided. */
const TRACED_RUNS = 20;
/** Runs at a time by which the service's own threads come to be before they are traced. */
const WARM_UP = 8;

/** What one cold run makes of processes, and the service of system calls. */
export async function benchCost(context: BenchContext): Promise<void> {
  await countProcesses(context);
  const services = [
    {
      name: "Boxer, cgroups off",
      service: await startBenchService(context, "free", { ...COLD, ignore_cgroups: true }),
    },
    ...(context.hasCgroups
      ? [
          {
            name: "Boxer, cold",
            service: await startBenchService(context, "limited", COLD),
          },
        ]
      : []),
  ];
  const rows = [];
  for (const { name, service } of services) rows.push(...(await traced(context, name, service)));
  if (rows.length === 0) return context.report.note("No count of system calls: there is no strace here.");
  context.report.add("cost", {
    title: `System calls of the service itself for one run (strace -c, ${TRACED_RUNS} runs one by one)`,
    columns: [
      { key: "runner", label: "by" },
      { key: "workload", label: "run" },
      { key: "starts", label: "processes, threads started" },
      { key: "opens", label: "opens" },
      { key: "lookups", label: "look-ups" },
      { key: "changes", label: "files made, moved, removed" },
      { key: "total", label: "all calls", digits: 0 },
    ],
    rows,
  });
}

async function countProcesses(context: BenchContext): Promise<void> {
  const program = join(import.meta.dirname, "..", "count-processes.ts");
  const directory = await context.directory("processes");
  // The first process of the namespace is to reap orphans, which a shell does and a runtime does not.
  const shell = ["sh", "-c", '"$@"; exit $?', "sh"];
  const counter = [process.execPath, program, directory, `${context.options.runs}`];
  const { code, stdout, stderr } = await tryCommand([
    ...["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
    ...shell,
    ...counter,
  ]);
  if (code !== 0) return context.report.note(`No count of processes: ${stderr.trim()}`);
  const counts = JSON.parse(stdout) as Record<string, number[]>;
  context.report.add("cost", {
    title: "Processes and threads made by one echo, those of gVisor and of the guest included",
    columns: [
      { key: "runner", label: "by" },
      { key: "least", label: "least", digits: 0 },
      { key: "median", label: "median", digits: 0 },
      { key: "p95", label: "p95", digits: 0 },
    ],
    rows: Object.entries(counts).map(([runner, all]) => ({ runner, ...summarize(all) })),
  });
}

async function traced(context: BenchContext, name: string, service: BenchService) {
  const file = join(await context.directory("strace"), "counts");
  const rows = [];
  for (const workload of WORKLOADS.filter(({ name: each, outputs }) => each === ECHO.name || outputs > 0)) {
    await Promise.all(Array.from({ length: WARM_UP }, () => service.run(workload)));
    const counts = await traceService(service.pid, file, async () => {
      for (let run = 0; run < TRACED_RUNS; run += 1) await service.run(workload);
    });
    if (counts === null) return [];
    const perRun = Object.entries(counts).map(([key, count]) => [key, count / TRACED_RUNS] as const);
    rows.push({ runner: name, workload: workload.name, ...Object.fromEntries(perRun) });
  }
  return rows;
}
