/** The sections that the command line asks for, one after the other. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { inBenchContext } from "./bench-context.ts";
import { benchImages } from "./bench-images.ts";
import { parseBenchOptions, type Section } from "./bench-options.ts";
import { machineFacts } from "./machine-facts.ts";
import { Report } from "./report.ts";
import { benchCost } from "./sections/cost.ts";
import { benchDashboard } from "./sections/dashboard.ts";
import { benchFirstCommand } from "./sections/first-command.ts";
import { benchGrowth } from "./sections/growth.ts";
import { benchLatency } from "./sections/latency.ts";
import { benchNetwork } from "./sections/network.ts";
import { benchThroughput } from "./sections/throughput.ts";
import { benchTimeOuts } from "./sections/time-outs.ts";

const BENCHES: Readonly<Record<Section, typeof benchLatency>> = {
  latency: benchLatency,
  throughput: benchThroughput,
  ttfc: benchFirstCommand,
  growth: benchGrowth,
  timeouts: benchTimeOuts,
  network: benchNetwork,
  cost: benchCost,
  dashboard: benchDashboard,
};

const options = parseBenchOptions(process.argv.slice(2));
if (options.images) {
  await benchImages(options.runs);
  process.exit();
}
const work = await mkdtemp(join(tmpdir(), "boxer-bench-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const report = new Report(await machineFacts(options));
for (const section of options.sections) {
  const begun = performance.now();
  report.note(`## ${section}, begun at a load average of ${loadavg()[0]?.toFixed(1)}`);
  await inBenchContext(work, section, { options, report }, BENCHES[section]);
  report.note(`## ${section} took ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  // What there is by then is kept, also when a later section fails.
  if (options.json !== undefined) await report.writeJson(options.json);
}
