import type {
  ActiveSandbox,
  Activity,
  DashboardSource,
  Health,
  ImagesData,
  TryRun,
} from "../../src/dashboard/dashboard-data.ts";
import type { ImageSummary } from "../../src/image/types.ts";
import type { RecordStatus, RunRecord } from "../../src/run/records/run-record.ts";
import type { RunPhase } from "../../src/run/run-observer.ts";
import type { RunnerStats } from "../../src/run/runner.ts";
import type { RunResult } from "../../src/run/types.ts";
import { execId, RESULT } from "../support/ended-run.ts";

/** The moment at which everything here is looked at. */
export const NOW_MS = Date.UTC(2026, 4, 12, 9, 30, 15);

const MIB = 1 << 20;
const DIGEST = `sha256:${"3f9ac2d17b04".padEnd(64, "e")}` as const;
const LIMITS = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };
const IMAGES = ["python:3.12-slim", "node:22-alpine", "ghcr.io/acme/judge:2026.5", "local/python:3"];
const COMMANDS = [
  ["python3", "/work/solution.py", "--case", "17"],
  ["node", "-e", "console.log(JSON.stringify(process.versions))"],
  ["/opt/judge/run", "--seed", "4711", "--strict"],
  ["sh", "-c", "for i in $(seq 100); do echo $i; done"],
] as const;
const CLIENTS = ["10.4.0.12", "10.4.0.31", "evaluator-7", "127.0.0.1"];

function pick<T>(from: readonly T[], index: number): T {
  return from[index % from.length] as T;
}

/** A sandbox that runs; `number` makes it differ from others. */
export function sandbox(number: number, changes: Partial<ActiveSandbox> = {}): ActiveSandbox {
  const phases: RunPhase[] = ["running", "running", "running", "running", "capturing", "preparing", "queued"];
  const phase = pick(phases, number);
  return {
    exec_id: `boxer-${(((number + 1) * 2654435761) >>> 0).toString(16).padStart(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`,
    image: pick(IMAGES, number),
    cmd: pick(COMMANDS, number),
    client: pick(CLIENTS, number >> 1),
    network: number % 5 === 3 ? "sandbox" : "none",
    phase,
    submitted_at_ms: NOW_MS - 1_300 - ((number * 7_919) % 27_000),
    started_at_ms: phase === "running" ? NOW_MS - 1_100 - ((number * 7_919) % 27_000) : null,
    limits: LIMITS,
    usage:
      phase === "running"
        ? {
            cpu_cores: ((number * 37) % 100) / 100,
            memory_bytes: (48 + ((number * 61) % 190)) * MIB,
            tasks: 9 + (number % 7),
          }
        : null,
    ...changes,
  };
}

/** The record of a run that has ended. */
export function record(number: number, changes: Partial<RunRecord> = {}): RunRecord {
  const statuses: RecordStatus[] = [
    "ok",
    "ok",
    "ok",
    "nonzero_exit",
    "ok",
    "ok",
    "timed_out",
    "ok",
    "oom_killed",
    "ok",
    "sandbox_error",
  ];
  const status = pick(statuses, number);
  const ended_at_ms = NOW_MS - 900 - number * 4_700;
  const [queue_ms, boot_ms, wall_ms] = [
    (number * 13) % 40,
    6 + ((number * 17) % 30),
    90 + ((number * 331) % 1_900),
  ];
  const submitted_at_ms = ended_at_ms - queue_ms - boot_ms - wall_ms - 12;
  return {
    exec_id: `boxer-${(((number + 11) * 2246822519) >>> 0).toString(16).padStart(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`,
    image: pick(IMAGES, number + 1),
    cmd: pick(COMMANDS, number + 1),
    env_names: ["LANG", "API_TOKEN"],
    cwd: null,
    user: null,
    files: ["work/solution.py"],
    limits: LIMITS,
    persist: number % 2 === 0,
    on_output_limit: "fail",
    shortened: [],
    client: pick(CLIENTS, number),
    submitted_at_ms,
    started_at_ms: submitted_at_ms + queue_ms + boot_ms,
    ended_at_ms,
    status,
    error:
      status === "sandbox_error"
        ? {
            code: "image_pull_failed",
            message: "Cannot pull ghcr.io/acme/judge:2026.5: the registry answers 503",
          }
        : null,
    result:
      status === "sandbox_error"
        ? null
        : {
            exit_code: status === "ok" ? 0 : status === "nonzero_exit" ? 1 : 137,
            signal: status === "timed_out" || status === "oom_killed" ? "SIGKILL" : null,
            wall_ms,
            queue_ms,
            boot_ms,
            warm: number % 2 === 0,
            cpu_ms: { user: Math.round(wall_ms * 0.6), system: 21 },
            peak_memory_bytes: (40 + ((number * 53) % 200)) * MIB,
            image_digest: DIGEST,
            stdout_bytes: 1_234,
            stderr_bytes: 0,
            stdout_truncated: false,
            stderr_truncated: false,
            warnings: [],
            outputs: [
              { path: `output/${execId(number)}/report.json`, size_bytes: 18_204 },
              { path: `output/${execId(number)}/plots/loss.png`, size_bytes: 91_811 },
            ],
            outputs_count: 2,
          },
    ...changes,
  };
}

/** An image of the cache. */
export function image(number: number, changes: Partial<ImageSummary> = {}): ImageSummary {
  const names = [
    "docker.io/library/python:3.12-slim",
    "docker.io/library/node:22-alpine",
    "ghcr.io/acme/judge:2026.5",
    "local/python:3",
    "docker.io/library/golang:1.25",
    "quay.io/lab/octave:9",
  ];
  const digest =
    `sha256:${(((number + 3) * 3266489917) >>> 0).toString(16).padStart(8, "0").repeat(8)}` as const;
  return {
    digest,
    size_bytes: (38 + ((number * 97) % 900)) * MIB,
    layers: 3 + (number % 4),
    created_at_ms: undefined,
    pulled_at_ms: NOW_MS - (1 + number) * 7_300_000,
    last_used_at_ms: number === 5 ? undefined : NOW_MS - (number * number * 913_000 + 4_000),
    uses: 4_812 >> number,
    in_use: [3, 2, 0, 1][number] ?? 0,
    references: [
      {
        reference: pick(names, number),
        imported: number === 3,
        checked_at_ms: NOW_MS - 60_000,
        unreachable: undefined,
      },
    ],
    ...changes,
  };
}

/** How busy the made-up server is. */
export const LOAD: RunnerStats = {
  active: 7,
  queued: 2,
  reserved_memory_mb: 2_240,
  max_concurrent_runs: 8,
  max_queued_runs: 256,
  max_reserved_memory_mb: 6_200,
};

function wave(count: number, height: number, base: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => base + height * (0.5 + 0.3 * Math.sin(index / 4) + 0.2 * Math.sin(index * 1.7)),
  );
}

/** What became of its runs. */
export const ACTIVITY: Activity = {
  window_ms: 900_000,
  runs: 2_931,
  runs_last_minute: 214,
  faults: 3,
  stopped: 41,
  failed: 187,
  boot: { p50_ms: 12, p95_ms: 47 },
  wall: { p50_ms: 238, p95_ms: 2_140 },
  runs_history: wave(45, 60, 20).map(Math.round),
  faults_history: Array.from({ length: 45 }, (_, index) => (index === 12 ? 2 : index === 33 ? 1 : 0)),
  boot_history: wave(45, 9, 8),
  wall_history: wave(45, 120, 180),
};

/** How it is. */
export const HEALTH: Health = {
  ready: true,
  reasons: [],
  warnings: ["The machine has no swap controller: memory and swap of a run are bounded together"],
  runsc_version: "runsc version release-20260420.0",
  platform: "systrap",
  cgroups: "cgroups (v2)",
  not_enforced: [],
  started_at_ms: NOW_MS - 4 * 86_400_000 - 7_200_000,
  version: "0.1.0",
};

/** Its images. */
export function imagesData(changes: Partial<ImagesData> = {}): ImagesData {
  const layer = (phase: "done" | "downloading", downloaded: number, size: number) => ({
    digest: `sha256:${String(size).padEnd(64, "0")}` as const,
    phase,
    downloaded_bytes: downloaded * MIB,
    size_bytes: size * MIB,
  });
  return {
    images: Array.from({ length: 6 }, (_, number) => image(number)),
    size_bytes: 3_100 * MIB,
    quota_bytes: 20 * 1024 * MIB,
    pulls: [
      {
        reference: "docker.io/library/rust:1.90-slim",
        phase: "downloading",
        started_at_ms: NOW_MS - 6_000,
        digest: DIGEST,
        layers: [layer("done", 28, 28), layer("downloading", 117, 244)],
        reason: undefined,
      },
    ],
    failures: [],
    ...changes,
  };
}

/** A result of a program that says something. */
export function resultOf(stdout: string, stderr = "", changes: Partial<RunResult> = {}): RunResult {
  const encoder = new TextEncoder();
  return {
    ...RESULT,
    exec_id: execId(1),
    wall_ms: 231,
    boot_ms: 6,
    warm: false,
    stdout: encoder.encode(stdout),
    stderr: encoder.encode(stderr),
    ...changes,
  };
}

/** What a run has written that has written this. */
export function outputOf(stdout = "", stderr = ""): TryRun["output"] {
  const output = (text: string) => ({ bytes: new TextEncoder().encode(text), truncated: false });
  return { stdout: output(stdout), stderr: output(stderr) };
}

/** A source that shows all this, and refuses to do anything but what a test puts in. */
export function madeUpSource(changes: Partial<DashboardSource> = {}): DashboardSource {
  const records = Array.from({ length: 60 }, (_, number) => record(number));
  const refuse = (): never => {
    throw new Error("not in this test");
  };
  return {
    activeRuns: () => Array.from({ length: 9 }, (_, number) => sandbox(number)),
    load: () => LOAD,
    host: () => ({
      cores: 8,
      cpu_share: 0.61,
      memory_used_bytes: 4_300 * MIB,
      memory_total_bytes: 7_800 * MIB,
      cpu_history: wave(60, 0.5, 0.3),
      memory_history: wave(60, 0.08, 0.5),
    }),
    activity: () => ACTIVITY,
    images: () => imagesData(),
    files: () => ({ size_bytes: 412 * MIB, quota_bytes: 2_048 * MIB }),
    records: ({ limit, status, before }) =>
      records
        .filter((each) => status === undefined || each.status === status)
        .filter((each) => before === undefined || each.submitted_at_ms < before.submitted_at_ms)
        .slice(0, limit),
    record: (exec_id) => records.find((each) => each.exec_id === exec_id) ?? null,
    health: async () => HEALTH,
    subscribe: () => () => {},
    stopRun: refuse,
    pullImage: refuse,
    removeImage: refuse,
    pruneImages: refuse,
    startTry: refuse,
    findTry: () => null,
    stopTry: refuse,
    close: () => {},
    ...changes,
  };
}
