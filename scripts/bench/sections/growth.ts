import type { BenchContext } from "../bench-context.ts";
import { type BenchService, COLD, makeBenchHome, startBenchServiceAt, warmWith } from "../bench-service.ts";
import { addImages, addSizedImage } from "../grow-images.ts";
import { addRecords } from "../grow-records.ts";
import { type Contender, interleave } from "../interleave.ts";
import { ratio } from "../ratio.ts";
import { type Summary, summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO } from "../workloads.ts";

const IMAGES = [1, 10, 100, 500];
const RECORDS = [0, 10_000, 100_000];
const SIZES_MB = [5, 200];
const LARGE_MB = 2048;
/** The service has the images of the workloads already. */
const IMAGES_THERE = 2;
/** More bounds of records than any of the services comes to. */
const UNBOUNDED_RECORDS = { run_records_max: 10 * Math.max(...RECORDS), run_records_days: 36_500 };

/** Cold and warm: sandboxes booted for each run, or before it. */
interface Mode {
  readonly name: "cold" | "warm";
  configOf(images: readonly string[]): Readonly<Record<string, unknown>>;
}
const MODES: readonly Mode[] = [
  { name: "cold", configOf: () => COLD },
  { name: "warm", configOf: warmWith },
];

/** Whether a run takes longer as what Boxer keeps grows. */
export async function benchGrowth(context: BenchContext): Promise<void> {
  await growImages(context);
  await growRecords(context);
  await growSizes(context);
}

async function growImages(context: BenchContext): Promise<void> {
  const homes = new Map<string, string>();
  for (const count of IMAGES) {
    const home = await makeBenchHome(context, `images-${count}`, (path) =>
      addImages(path, Math.max(0, count - IMAGES_THERE)),
    );
    homes.set(`${Math.max(count, IMAGES_THERE)}`, home);
  }
  await inModes(context, homes, async (mode, services) => {
    const contenders = [...services].map(([name, service]) => echoOn(service, name));
    await compare(context, `images in the store, ${mode}`, contenders);
  });
}

async function growRecords(context: BenchContext): Promise<void> {
  const homes = new Map<string, string>();
  for (const count of RECORDS) {
    const home = await makeBenchHome(context, `records-${count}`, (path) => addRecords(path, count));
    homes.set(`${count}`, home);
  }
  await inModes(context, homes, async (mode, services) => {
    const contenders = [...services].map(([name, service]) => echoOn(service, name));
    await compare(context, `records of runs, ${mode}`, contenders);
    if (mode === "warm") return;
    const lists = [...services].map(([name, service]) => ({
      name,
      measure: () => timed(() => list(service)),
    }));
    await compare(context, "records of runs", lists, "GET /runs");
  });
}

/** All in one home, since a run sees but one image. */
async function growSizes(context: BenchContext): Promise<void> {
  const sizes = [...SIZES_MB, ...(context.options.large ? [LARGE_MB] : [])];
  const nameOf = (size_mb: number) => `local/sized:${size_mb}`;
  const home = await makeBenchHome(context, "sizes", async (path) => {
    for (const size_mb of sizes) await addSizedImage(path, nameOf(size_mb), size_mb);
  });
  for (const { name: mode, configOf } of MODES) {
    const service = await startBenchServiceAt(context, home, configOf(sizes.map(nameOf)));
    await service.settle();
    const contenders = sizes.map((size_mb) => echoOn(service, `${size_mb} MB`, nameOf(size_mb)));
    await compare(context, `size of the image, ${mode}`, contenders);
    await service.end();
  }
}

/** Starts a service in each home, by its name, and ends them: cold ones, and when they are gone warm ones. */
async function inModes(
  context: BenchContext,
  homes: ReadonlyMap<string, string>,
  use: (mode: Mode["name"], services: ReadonlyMap<string, BenchService>) => Promise<void>,
): Promise<void> {
  for (const { name: mode, configOf } of MODES) {
    const services = new Map<string, BenchService>();
    for (const [name, home] of homes) {
      const config = { ...UNBOUNDED_RECORDS, ...configOf([ECHO.image]) };
      services.set(name, await startBenchServiceAt(context, home, config));
    }
    for (const service of services.values()) await service.settle();
    await use(mode, services);
    for (const service of services.values()) await service.end();
  }
}

/** What is made ready for the next run is no part of one. */
function echoOn(service: BenchService, name: string, image: string = ECHO.image): Contender {
  return {
    name,
    async measure() {
      const time_ms = await timed(() => service.run({ ...ECHO, image }));
      await service.settle();
      return time_ms;
    },
  };
}

async function list(service: BenchService): Promise<void> {
  const response = await fetch(`${service.url}/runs`);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET /runs: HTTP ${response.status}`);
}

async function compare(
  { options, report }: BenchContext,
  what: string,
  contenders: readonly Contender[],
  action = "an echo",
): Promise<void> {
  const measured = await interleave(contenders, options.runs);
  let base: Summary | undefined;
  const rows = [];
  for (const [amount, times] of measured) {
    const summary = summarize(times);
    base ??= summary;
    rows.push({
      amount,
      ...summary,
      ratio: ratio(summary.median, base.median),
      least_ratio: ratio(summary.least, base.least),
    });
  }
  report.add("growth", {
    title: `Growth: ${action} in ms by ${what}; ${options.runs} of each, in turn`,
    columns: [
      { key: "amount", label: what },
      { key: "least", label: "least" },
      { key: "median", label: "median" },
      { key: "p95", label: "p95" },
      { key: "ratio", label: "median / first", digits: 3 },
      { key: "least_ratio", label: "least / first", digits: 3 },
    ],
    rows,
  });
}
