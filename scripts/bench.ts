/**
 * `npm run bench`: what a run of Boxer costs, against raw `runsc run` of the very same bundle, in turn, in one process.
 * Tables on stdout, `--json FILE` for the same as JSON.
 *
 * `--only latency,throughput,ttfc,growth,timeouts,network,cost,dashboard` for some sections, `--runs N` of each thing
 * (default 40), `--quick` for a short pass, `--large` with an image of 2 GB. With `--images` instead: pulls of an image against
 * skopeo and umoci (`--runs`, default 5).
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { inBenchContext } from "./bench/bench-context.ts";
import { benchImages } from "./bench/bench-images.ts";
import { parseBenchOptions, type Section } from "./bench/bench-options.ts";
import { machineFacts } from "./bench/machine-facts.ts";
import { Report } from "./bench/report.ts";
import { benchCost } from "./bench/sections/cost.ts";
import { benchDashboard } from "./bench/sections/dashboard.ts";
import { benchFirstCommand } from "./bench/sections/first-command.ts";
import { benchGrowth } from "./bench/sections/growth.ts";
import { benchLatency } from "./bench/sections/latency.ts";
import { benchNetwork } from "./bench/sections/network.ts";
import { benchThroughput } from "./bench/sections/throughput.ts";
import { benchTimeOuts } from "./bench/sections/time-outs.ts";

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
