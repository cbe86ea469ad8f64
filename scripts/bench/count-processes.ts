/**
 * Prints, as JSON, how many processes and threads one echo makes: `{"raw runsc run": [61, 60], …}`. Takes a directory to
 * work in and the number of runs. To be started in a PID namespace of its own, in which nobody else makes any: the last
 * PID that was given, the last field of /proc/loadavg (proc_loadavg(5)), then counts them, with those of all the
 * namespaces that runsc makes below.
 */
import { readFile } from "node:fs/promises";
import { inBenchContext } from "./bench-context.ts";
import { parseBenchOptions } from "./bench-options.ts";
import { COLD, startBenchService } from "./bench-service.ts";
import { interleave } from "./interleave.ts";
import { openRawRunsc } from "./raw-runsc.ts";
import { Report } from "./report.ts";
import { ECHO } from "./workloads.ts";

const [directory = "", runs = ""] = process.argv.slice(2);
const shared = { options: parseBenchOptions(["--runs", runs]), report: new Report({}) };
await inBenchContext(directory, "processes", shared, async (context) => {
  const raw = await openRawRunsc(context);
  const free = await startBenchService(context, "free", { ...COLD, ignore_cgroups: true });
  const limited = context.hasCgroups ? [await startBenchService(context, "limited", COLD)] : [];
  const counts = await interleave(
    [
      { name: "raw runsc run", measure: () => pidsOf(() => raw.run(ECHO)) },
      { name: "Boxer, cgroups off", measure: () => pidsOf(() => free.run(ECHO)) },
      ...limited.map((service) => ({
        name: "Boxer, cold",
        measure: () => pidsOf(() => service.run(ECHO)),
      })),
    ],
    context.options.runs,
  );
  console.log(JSON.stringify(Object.fromEntries(counts)));
});

async function pidsOf(work: () => Promise<void>): Promise<number> {
  const before = await lastPid();
  await work();
  return (await lastPid()) - before;
}

async function lastPid(): Promise<number> {
  return Number((await readFile("/proc/loadavg", "utf8")).trim().split(" ").at(-1));
}
