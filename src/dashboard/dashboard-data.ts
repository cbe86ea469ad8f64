import type { RunLimits } from "../config/config.ts";
import type { PullStatus } from "../image/progress/pull-status.ts";
import type { ImageSummary, RemoveResult } from "../image/types.ts";
import type { RecordQuery } from "../run/records/record-file.ts";
import type { RunRecord } from "../run/records/run-record.ts";
import type { RunPhase } from "../run/run-observer.ts";
import type { RunnerStats } from "../run/runner.ts";
import type { RunRequest, RunResult } from "../run/types.ts";
import type { BoundedOutput } from "../sandbox/bounded-output.ts";

/** What may change on the page. Each is a signal to the browser to fetch what shows it again. */
export const TOPICS = ["active", "resources", "images", "runs", "health", "tries"] as const;
export type Topic = (typeof TOPICS)[number];

/** What a sandbox uses now, gVisor's own part included; null where the host does not tell. */
export interface SandboxUsage {
  /** Cores, fractional, since the measurement before. */
  readonly cpu_cores: number | null;
  readonly memory_bytes: number | null;
  /** On the host: processes and threads, those of gVisor too. */
  readonly tasks: number | null;
}

/** A run that has not been answered yet. Its image, command and client are an attacker's. */
export interface ActiveSandbox {
  readonly exec_id: string;
  readonly image: string;
  readonly cmd: readonly string[];
  readonly client: string;
  readonly network: string;
  readonly phase: RunPhase;
  readonly submitted_at_ms: number;
  /** When its sandbox was started, or null. */
  readonly started_at_ms: number | null;
  readonly limits: RunLimits;
  readonly usage: SandboxUsage | null;
}

/** The machine; histories are oldest first. */
export interface HostUsage {
  readonly cores: number;
  /** Of all cores, 0 to 1; null before the second measurement. */
  readonly cpu_share: number | null;
  readonly memory_used_bytes: number;
  readonly memory_total_bytes: number;
  readonly cpu_history: readonly number[];
  readonly memory_history: readonly number[];
}

/** Of a set of times. */
export interface Percentiles {
  readonly p50_ms: number;
  readonly p95_ms: number;
}

/** What has become of the runs of the last minutes. Histories have one entry for each bucket of time, oldest first. */
export interface Activity {
  readonly window_ms: number;
  readonly runs: number;
  readonly runs_last_minute: number;
  /** Failed by a fault of Boxer, its host or a registry. */
  readonly faults: number;
  /** Stopped by a limit. */
  readonly stopped: number;
  /** The program's own failure: an exit code other than 0, or a signal. */
  readonly failed: number;
  /** Null when there were no runs. */
  readonly boot: Percentiles | null;
  readonly wall: Percentiles | null;
  readonly runs_history: readonly number[];
  readonly faults_history: readonly number[];
  readonly boot_history: readonly number[];
  readonly wall_history: readonly number[];
}

/** Bytes taken and the most that may be; Infinity for no limit. */
export interface StoreUsage {
  readonly size_bytes: number;
  readonly quota_bytes: number;
}

/** A pull that was asked for here and has failed. The reason may be a registry's own words. */
export interface PullFailure {
  readonly reference: string;
  readonly reason: string;
  readonly at_ms: number;
}

/** All of the images. */
export interface ImagesData extends StoreUsage {
  readonly images: readonly ImageSummary[];
  readonly pulls: readonly PullStatus[];
  readonly failures: readonly PullFailure[];
}

/** Whether the service is well, and what it does not do here. */
export interface Health {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly runsc_version: string | null;
  readonly platform: string;
  /** How limits are enforced: `cgroup v2`, `cgroup v1`, `none`. */
  readonly cgroups: string;
  /** Limits that are not enforced on this host. */
  readonly not_enforced: readonly string[];
  readonly started_at_ms: number;
  readonly version: string;
}

/** A run that was begun on the page. Its output is kept here for a while. */
export interface TryRun {
  readonly id: string;
  readonly request: RunRequest;
  readonly started_at_ms: number;
  /** Null until the runner has taken it in. */
  readonly exec_id: string | null;
  /** What it has written so far; empty once there is a result, which has it. */
  readonly output: Readonly<Record<"stdout" | "stderr", BoundedOutput>>;
  /** Null while it goes on. */
  readonly outcome:
    | { readonly result: RunResult }
    | { readonly error: { readonly code: string; readonly message: string } }
    | null;
}

/** All that the dashboard shows and does. */
export interface DashboardSource {
  /** In the order in which they came. */
  activeRuns(): readonly ActiveSandbox[];
  load(): RunnerStats;
  host(): HostUsage;
  activity(): Activity;
  images(): ImagesData;
  files(): StoreUsage;
  /** Newest first. */
  records(query: RecordQuery): readonly RunRecord[];
  record(exec_id: string): RunRecord | null;
  health(): Promise<Health>;
  /**
   * Tells what has changed, at most four times a second. Costs something only while somebody listens.
   * @param ended told when the server ends the subscription
   * @returns ends it
   */
  subscribe(listener: (topics: ReadonlySet<Topic>) => void, ended: () => void): () => void;
  /** @returns false when there is no such run any more */
  stopRun(exec_id: string): boolean;
  /**
   * Begins a pull, which goes on by itself.
   * @throws BoxerError when it is refused at once
   */
  pullImage(reference: string): Promise<void>;
  /** @throws BoxerError `invalid_image_reference` */
  removeImage(referenceOrDigest: string): Promise<RemoveResult>;
  /** @returns how many images are gone */
  pruneImages(): Promise<number>;
  /**
   * Begins a run, which goes on by itself.
   * @throws BoxerError `queue_full` when too many go on already
   */
  startTry(request: RunRequest): TryRun;
  findTry(id: string): TryRun | null;
  /** @returns false when it does not go on any more */
  stopTry(id: string): boolean;
  /** Ends all subscriptions. */
  close(): void;
}
