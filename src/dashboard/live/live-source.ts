import type { Config } from "../../config/config.ts";
import { resolveLimits } from "../../config/config.ts";
import type { FileStore } from "../../files/file-store.ts";
import type { ImageStore } from "../../image/types.ts";
import type { Readiness } from "../../run/readiness.ts";
import type { RunRecords } from "../../run/records/run-records.ts";
import type { Runner } from "../../run/runner.ts";
import type { ActiveSandbox, DashboardSource, Health } from "../dashboard-data.ts";
import { HostSampler } from "../metrics/host-sampler.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { TryRuns } from "../try/try-runs.ts";
import { ImagePulls } from "./image-pulls.ts";
import type { UsageBoard } from "./usage-board.ts";
import { type Watched, Watcher } from "./watcher.ts";

/** What the live source stands on. */
export interface LiveSourceParts {
  readonly runner: Runner;
  readonly images: ImageStore;
  readonly files: FileStore;
  readonly records: RunRecords;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: RunMetrics;
  readonly usage: UsageBoard;
  readonly config: Pick<Config, "defaults" | "platform">;
  /** What an operator should know of the configuration. */
  readonly warnings: readonly string[];
  readonly version: string;
}

const ACTIVE_MS = 500;
/** A page of many rows costs more to make and to take. */
const ACTIVE_MS_A_RUN = 5;
const IMAGES_MS = 500;
const RUNS_MS = 1_000;
const RESOURCES_MS = 2_000;
const HEALTH_MS = 10_000;
/** Smaller changes of the host's memory are not worth a signal. */
const MEMORY_STEP_BYTES = 32 << 20;

/** The service itself as the dashboard's source. */
export function createLiveSource(parts: LiveSourceParts): DashboardSource {
  const { runner, images, files, records, metrics } = parts;
  const live: Live = {
    tries: new TryRuns(runner),
    pulls: new ImagePulls(images),
    host: new HostSampler(),
  };
  const watcher = new Watcher(watchedBy(parts, live));
  return {
    activeRuns: () => activeSandboxes(parts),
    load: () => runner.stats(),
    host() {
      live.host.sample();
      return live.host.usage();
    },
    activity: () => metrics.activity(),
    images: () => ({
      ...images.usage(),
      images: images.list(),
      pulls: images.pulls(),
      failures: live.pulls.failures(),
    }),
    files: () => files.usage(),
    records: (query) => records.list(query),
    record: (exec_id) => records.find(exec_id),
    health: async () => healthOf(await parts.readiness(), parts),
    subscribe: (listener, ended) => watcher.subscribe(listener, ended),
    stopRun: (exec_id) => runner.stop(exec_id),
    pullImage: (reference) => live.pulls.start(reference),
    removeImage: (referenceOrDigest) => images.remove(referenceOrDigest),
    pruneImages: async () => (await images.prune({ unused_for_ms: 0, all: false })).length,
    startTry: (request) => live.tries.start(request),
    findTry: (id) => live.tries.find(id),
    stopTry: (id) => live.tries.stop(id),
    close: () => watcher.close(),
  };
}

/** What the dashboard itself remembers of the service. */
interface Live {
  readonly tries: TryRuns;
  readonly pulls: ImagePulls;
  readonly host: HostSampler;
}

function activeSandboxes({ runner, config, usage }: LiveSourceParts): ActiveSandbox[] {
  return runner
    .active()
    .map(({ exec_id, client, phase, submitted_at_ms, started_at_ms, sandbox_id, request }) => ({
      exec_id,
      client,
      phase,
      submitted_at_ms,
      image: request.image,
      cmd: request.cmd,
      network: request.network,
      started_at_ms,
      limits: resolveLimits(request.limits, config.defaults, "default"),
      usage: sandbox_id === null ? null : usage.usageOf(sandbox_id),
    }));
}

/** What changes on the page, and how often it is looked at. */
function watchedBy(parts: LiveSourceParts, live: Live): Watched[] {
  const { runner, metrics } = parts;
  const every = (ms: number) => () => ms;
  return [
    {
      topic: "active",
      every_ms: () => ACTIVE_MS + ACTIVE_MS_A_RUN * runner.stats().active,
      look: () => activeState(activeSandboxes(parts)),
    },
    { topic: "runs", every_ms: every(RUNS_MS), look: () => String(metrics.ended_count) },
    { topic: "tries", every_ms: every(0), look: () => String(live.tries.changes) },
    { topic: "images", every_ms: every(IMAGES_MS), look: () => imagesState(parts, live) },
    { topic: "resources", every_ms: every(RESOURCES_MS), look: () => resourcesState(parts, live) },
    { topic: "health", every_ms: every(HEALTH_MS), look: () => String(runner.draining) },
  ];
}

/** Smaller changes of a sandbox's memory are not worth a signal. */
const SHOWN_STEP_BYTES = 1 << 20;

function shown(memory_bytes: number | null | undefined): number | null {
  return memory_bytes == null ? null : Math.round(memory_bytes / SHOWN_STEP_BYTES);
}

/** The ages go on in the browser. */
function activeState(sandboxes: readonly ActiveSandbox[]): string {
  return sandboxes
    .map(({ exec_id, phase, usage }) => [
      exec_id,
      phase,
      usage?.cpu_cores?.toFixed(1),
      shown(usage?.memory_bytes),
      usage?.tasks,
    ])
    .join();
}

function imagesState({ images }: LiveSourceParts, { pulls }: Live): string {
  const uses = images
    .list()
    .map(({ digest, uses, in_use, references }) => [digest, uses, in_use, references.length]);
  return JSON.stringify([uses, images.pulls(), pulls.failures().length]);
}

/** Measures the host and the sandboxes as well. */
function resourcesState({ runner, metrics, usage }: LiveSourceParts, { host }: Live): string {
  host.sample();
  // Its faults are not the page's: what is not measured is not shown.
  void usage.measure().catch(() => {});
  const { cpu_share, memory_used_bytes } = host.usage();
  return JSON.stringify([
    cpu_share?.toFixed(2),
    Math.round(memory_used_bytes / MEMORY_STEP_BYTES),
    runner.stats(),
    metrics.ended_count,
  ]);
}

const STARTED_AT_MS = Date.now();

function healthOf(readiness: Readiness, { config, warnings, version }: LiveSourceParts): Health {
  const { ready, reasons, notes, runsc_version, cgroup } = readiness;
  return {
    ready,
    reasons,
    warnings: [...new Set([...notes, ...warnings, ...cgroup.unenforced])],
    runsc_version,
    platform: config.platform,
    cgroups: cgroup.mode === "none" ? "nothing on the host" : `cgroups (${cgroup.mode})`,
    not_enforced: cgroup.unenforced,
    started_at_ms: STARTED_AT_MS,
    version,
  };
}
