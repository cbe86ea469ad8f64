import { faultStatus } from "../../run/records/fault-status.ts";
import type { EndedRun, RunObserver } from "../../run/run-observer.ts";
import type { Activity } from "../dashboard-data.ts";
import { percentilesOf } from "./percentiles-of.ts";

const BUCKET_MS = 20_000;
const BUCKETS = 45;
const LAST_MINUTE = 60_000 / BUCKET_MS;
/** Times kept of each bucket: enough for a percentile, and bounded at any rate. */
const MAX_TIMES = 500;
const STOPPED: readonly string[] = ["timed_out", "oom_killed", "output_limit", "output_files_limit"];
const FAILED: readonly string[] = ["nonzero_exit", "signaled"];
interface Bucket {
  readonly slot: number;
  runs: number;
  faults: number;
  stopped: number;
  failed: number;
  readonly boot_ms: number[];
  readonly wall_ms: number[];
}

/** Counts what becomes of runs, over the last quarter of an hour. A run costs a few additions. */
export class RunMetrics implements RunObserver {
  readonly #now: () => number;
  /** Oldest first; buckets without runs are not there. */
  #buckets: Bucket[] = [];
  /** Runs that have ended, ever. */
  ended_count = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  ended({ outcome }: EndedRun): void {
    this.ended_count += 1;
    const bucket = this.#current();
    bucket.runs += 1;
    if ("error" in outcome) {
      if (faultStatus(outcome.error.code) === "sandbox_error") bucket.faults += 1;
      return;
    }
    const { status, boot_ms, wall_ms } = outcome.result;
    if (STOPPED.includes(status)) bucket.stopped += 1;
    if (FAILED.includes(status)) bucket.failed += 1;
    // Of a crowded bucket a random part is kept, so that the last come no more than the first.
    const place =
      bucket.wall_ms.length < MAX_TIMES ? bucket.wall_ms.length : Math.floor(Math.random() * bucket.runs);
    if (place >= MAX_TIMES) return;
    bucket.boot_ms[place] = boot_ms;
    bucket.wall_ms[place] = wall_ms;
  }

  /** What has become of the runs of the window. */
  activity(): Activity {
    this.#drop();
    const slot = this.#slot();
    const bySlot = new Map(this.#buckets.map((bucket) => [bucket.slot, bucket]));
    const window = Array.from({ length: BUCKETS }, (_, index) => bySlot.get(slot - BUCKETS + 1 + index));
    const sum = (key: "runs" | "faults" | "stopped" | "failed", of = window) =>
      of.reduce((total, bucket) => total + (bucket?.[key] ?? 0), 0);
    const medians = (key: "boot_ms" | "wall_ms") =>
      this.#buckets
        .map((bucket) => percentilesOf(bucket[key]))
        .flatMap((times) => (times ? [times.p50_ms] : []));
    return {
      window_ms: BUCKETS * BUCKET_MS,
      runs: sum("runs"),
      runs_last_minute: sum("runs", window.slice(-LAST_MINUTE)),
      faults: sum("faults"),
      stopped: sum("stopped"),
      failed: sum("failed"),
      boot: percentilesOf(this.#buckets.flatMap(({ boot_ms }) => boot_ms)),
      wall: percentilesOf(this.#buckets.flatMap(({ wall_ms }) => wall_ms)),
      runs_history: window.map((bucket) => bucket?.runs ?? 0),
      faults_history: window.map((bucket) => bucket?.faults ?? 0),
      boot_history: medians("boot_ms"),
      wall_history: medians("wall_ms"),
    };
  }

  #slot(): number {
    return Math.floor(this.#now() / BUCKET_MS);
  }

  #current(): Bucket {
    const slot = this.#slot();
    const last = this.#buckets.at(-1);
    if (last?.slot === slot) return last;
    const bucket = { slot, runs: 0, faults: 0, stopped: 0, failed: 0, boot_ms: [], wall_ms: [] };
    this.#buckets.push(bucket);
    this.#drop();
    return bucket;
  }

  #drop(): void {
    const oldest = this.#slot() - BUCKETS + 1;
    this.#buckets = this.#buckets.filter(({ slot }) => slot >= oldest);
  }
}
