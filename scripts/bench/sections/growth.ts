import type { BenchContext } from "../bench-context.ts";
import { type BenchService, COLD, startBenchService } from "../bench-service.ts";
import { addImages, addSizedImage } from "../grow-images.ts";
import { addRecords } from "../grow-records.ts";
import { type Contender, interleave } from "../interleave.ts";
import { ratio } from "../ratio.ts";
import { type Summary, summarize } from "../summarize.ts";
import { timed } from "../timed.ts";
import { ECHO } from "../workloads.ts";

const IMAGES = [1, 10, 100];
const RECORDS = [0, 10_000, 100_000];
const SIZES_MB = [5, 200];
const LARGE_MB = 2048;
/** The service has the images of the workloads already. */
const IMAGES_THERE = 2;

/** Whether a run takes longer as what Boxer keeps grows. */
export async function benchGrowth(context: BenchContext): Promise<void> {
  const config = { ...COLD, ignore_cgroups: !context.hasCgroups };
  await compare(context, "images in the store", await withImages(context, config));
  await compareRecords(context, config);
  await compare(context, "size of the image", await withSizes(context, config));
}

async function withImages(context: BenchContext, config: object): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const count of IMAGES) {
    const service = await startBenchService(context, `images-${count}`, { ...config }, (home) =>
      addImages(home, Math.max(0, count - IMAGES_THERE)),
    );
    contenders.push(echoOn(service, `${Math.max(count, IMAGES_THERE)}`));
  }
  return contenders;
}

async function compareRecords(context: BenchContext, config: object): Promise<void> {
  const runs: Contender[] = [];
  const lists: Contender[] = [];
  for (const count of RECORDS) {
    const bounds = { run_records_max: 10 * Math.max(...RECORDS), run_records_days: 36_500 };
    const service = await startBenchService(context, `records-${count}`, { ...config, ...bounds }, (home) =>
      addRecords(home, count),
    );
    runs.push(echoOn(service, `${count}`));
    lists.push({ name: `${count}`, measure: () => timed(() => list(service)) });
  }
  await compare(context, "records of runs", runs);
  await compare(context, "records of runs", lists, "GET /runs");
}

async function withSizes(context: BenchContext, config: object): Promise<Contender[]> {
  const sizes = [...SIZES_MB, ...(context.options.large ? [LARGE_MB] : [])];
  const nameOf = (size_mb: number) => `local/sized:${size_mb}`;
  const service = await startBenchService(context, "sizes", { ...config }, async (home) => {
    for (const size_mb of sizes) await addSizedImage(home, nameOf(size_mb), size_mb);
  });
  return sizes.map((size_mb) => ({
    name: `${size_mb} MB`,
    measure: () => timed(() => service.run({ ...ECHO, image: nameOf(size_mb) })),
  }));
}

function echoOn(service: BenchService, name: string): Contender {
  return { name, measure: () => timed(() => service.run(ECHO)) };
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
