import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../../test/support/browser.ts";
import { noChromium } from "../../../test/support/fixtures.ts";
import { BUSYBOX } from "../../../test/support/service.ts";
import type { BenchContext } from "../bench-context.ts";
import { type BenchService, makeBenchHome, startBenchServiceAt } from "../bench-service.ts";
import { addRecords } from "../grow-records.ts";
import { median } from "../median.ts";
import { percentile } from "../percentile.ts";
import { processCpuMs } from "../proc-counters.ts";
import { ECHO } from "../workloads.ts";

const RECORDS = 10_000;
const WAITING = 200;
const RUNS_PER_S = 20;
/** Windows of `throughput` are too short for what is next to nothing. */
const WINDOW_FACTOR = 4;
const PAGES = [
  "/dashboard",
  "/dashboard/runs",
  "/dashboard/runs?status=timed_out",
  "/dashboard/images",
  "/dashboard/fragments/active",
];

/** How fast and large the pages are where there is much to show, and what an open one costs the service. */
export async function benchDashboard(context: BenchContext): Promise<void> {
  const homeWithRecords = (name: string) => makeBenchHome(context, name, (home) => addRecords(home, RECORDS));
  const quiet = await startBenchServiceAt(context, await homeWithRecords("quiet"));
  const full = await startBenchServiceAt(context, await homeWithRecords("full"), {
    max_concurrent_runs: 2,
    max_queued_runs: 2 * WAITING,
  });
  await keepWaiting(context, full);
  await measurePages(context, full);
  if (noChromium) return context.report.note(`No cost of an open dashboard: ${noChromium}`);
  const browser = await launchBrowser();
  context.cleanup.defer("browser", () => browser.close());
  await measureCost(context, browser, quiet, full);
}

/** Sends runs, two of which run and the others wait until the service ends. */
async function keepWaiting(context: BenchContext, { url }: BenchService): Promise<void> {
  const gone = new AbortController();
  context.cleanup.defer("runs that wait", () => gone.abort());
  const body = JSON.stringify({
    image: BUSYBOX,
    cmd: ["sleep", "3600"],
    limits: { wall_clock_secs: 3_600, memory_mb: 64 },
  });
  const headers = { "content-type": "application/json" };
  for (let count = 0; count < WAITING; count += 1)
    fetch(`${url}/run`, { method: "POST", headers, body, signal: gone.signal }).catch(() => {});
  const isThere = async () => {
    const response = await fetch(`${url}/dashboard/fragments/active`);
    return (await response.text()).split('<tr id="run-').length > WAITING;
  };
  while (!(await isThere())) await sleep(100);
}

async function measurePages({ options, report }: BenchContext, { url }: BenchService): Promise<void> {
  const rows = [];
  for (const path of PAGES) {
    const [first, last] = [[] as number[], [] as number[]];
    let bytes = 0;
    for (let turn = -1; turn < options.runs; turn += 1) {
      const begun = performance.now();
      const response = await fetch(url + path, { headers: { "accept-encoding": "identity" } });
      const first_ms = performance.now() - begun;
      bytes = (await response.arrayBuffer()).byteLength;
      if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
      if (turn < 0) continue;
      first.push(first_ms);
      last.push(performance.now() - begun);
    }
    rows.push({
      path,
      first: median(first),
      p95: percentile(first, 0.95),
      last: median(last),
      size: bytes / 1024,
    });
  }
  report.add("dashboard", {
    title: `Pages with ${WAITING} active runs and ${RECORDS} records, in ms; ${options.runs} of each`,
    columns: [
      { key: "path", label: "page" },
      { key: "first", label: "first byte, median" },
      { key: "p95", label: "p95" },
      { key: "last", label: "last byte, median" },
      { key: "size", label: "size, KB" },
    ],
    rows,
  });
}

async function measureCost(
  context: BenchContext,
  browser: Browser,
  quiet: BenchService,
  full: BenchService,
): Promise<void> {
  const { windows, window_secs } = context.options;
  const window_ms = 1000 * WINDOW_FACTOR * window_secs;
  const situations = [
    { what: "nothing runs", service: quiet, load: () => sleep(window_ms, 0) },
    { what: `2 runs, and ${WAITING - 2} that wait`, service: full, load: () => sleep(window_ms, 0) },
    { what: `${RUNS_PER_S} echos a second`, service: quiet, load: () => keepRunning(quiet, window_ms) },
  ];
  const rows = [];
  for (const { what, service, load } of situations) {
    const shares = { closed: [] as number[], open: [] as number[] };
    let runs_per_s: number | null = null;
    for (let window = 0; window < windows; window += 1) {
      for (const state of ["closed", "open"] as const) {
        const page = state === "open" ? await browser.newPage() : null;
        await page?.goto(`${service.url}/dashboard`);
        await page?.locator("#live.is-live").waitFor();
        const [begun, before] = [performance.now(), await processCpuMs(service.pid)];
        const runs = await load();
        const took_ms = performance.now() - begun;
        shares[state].push((100 * ((await processCpuMs(service.pid)) - before)) / took_ms);
        if (runs > 0) runs_per_s = (1000 * runs) / window_ms;
        await page?.close();
      }
    }
    const [closed, open] = [median(shares.closed), median(shares.open)];
    rows.push({ what, runs_per_s, closed, open, cost: open - closed });
  }
  context.report.add("dashboard", {
    title: `CPU of the service itself in % of a core; medians of ${windows} windows of ${window_ms / 1000} s`,
    columns: [
      { key: "what", label: "while" },
      { key: "runs_per_s", label: "runs / s" },
      { key: "closed", label: "nobody looks", digits: 2 },
      { key: "open", label: "one dashboard open", digits: 2 },
      { key: "cost", label: "it costs", digits: 2 },
    ],
    rows,
  });
}

/** Begins runs at their rate, whether or not those before have ended. @returns how many ended in the time */
async function keepRunning(service: BenchService, window_ms: number): Promise<number> {
  const deadline = performance.now() + window_ms;
  const runs: Promise<void>[] = [];
  let ended = 0;
  for (let number = 0; number < (RUNS_PER_S * window_ms) / 1000; number += 1) {
    runs.push(
      service.run(ECHO).then(() => {
        if (performance.now() < deadline) ended += 1;
      }),
    );
    await sleep(Math.max(0, deadline - window_ms + (1000 * (number + 1)) / RUNS_PER_S - performance.now()));
  }
  await Promise.all(runs);
  return ended;
}
