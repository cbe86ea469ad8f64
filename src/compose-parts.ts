import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { openServiceCgroups } from "./compose-cgroups.ts";
import { findTools, openImages } from "./compose-images.ts";
import { openServiceNetworks } from "./compose-network.ts";
import { openSandboxes, type Sandboxes } from "./compose-sandbox.ts";
import { sweepRuns } from "./compose-sweep.ts";
import type { Config } from "./config/config.ts";
import type { CleanupStack } from "./core/cleanup-stack.ts";
import { type Home, homeAt } from "./core/home.ts";
import { UsageBoard } from "./dashboard/live/usage-board.ts";
import { RunMetrics } from "./dashboard/metrics/run-metrics.ts";
import { type FileStore, openFileStore } from "./files/file-store.ts";
import { importLocalImages } from "./image/local-images.ts";
import type { ImageStore } from "./image/types.ts";
import { lockHome } from "./platform/home-lock.ts";
import type { Platform } from "./platform/platform.ts";
import { createReadinessCheck } from "./run/readiness.ts";
import { RunRecords } from "./run/records/run-records.ts";
import { RunTotals } from "./run/run-totals.ts";
import { Runner } from "./run/runner.ts";
import type { Cgroups } from "./sandbox/cgroup/types.ts";
import { canShowMemoryTotal } from "./sandbox/guest-memory.ts";
import { mistakesNamespaces } from "./sandbox/guest-network.ts";
import { mountRuns } from "./sandbox/mount-runs.ts";

/** What the parts of a service are opened with. */
export interface ServiceOptions {
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
  /** Takes the undo. */
  readonly cleanup: CleanupStack;
}

/** The parts of a service, which its routes and its dashboard show. */
export interface ServiceParts {
  readonly cgroups: Cgroups;
  readonly files: FileStore;
  readonly images: ImageStore;
  readonly records: RunRecords;
  readonly usage: UsageBoard;
  readonly metrics: RunMetrics;
  readonly totals: RunTotals;
  readonly sandboxes: Sandboxes;
  readonly runner: Runner;
  readonly readiness: ReturnType<typeof createReadinessCheck>;
}

/**
 * Opens the parts of a service in its home, which it has for itself from then on, after it has removed there what an
 * earlier one left.
 * @throws HomeInUseError, and what opening the stores gives; what was opened then is for the cleanup to give back
 */
export async function openParts(options: ServiceOptions): Promise<ServiceParts> {
  const { config, platform, log, cleanup } = options;
  const home = homeAt(config.home);
  await mkdir(home.root, { recursive: true, mode: 0o700 });
  cleanup.defer("home lock", lockHome(platform, home.lock));
  const cgroups = await openServiceCgroups(config, home, cleanup);
  await sweepRuns(home, cgroups, platform, log);
  await mountRuns(home.runs, platform, cleanup);
  const rootless = process.geteuid?.() !== 0;
  const network = await openServiceNetworks({ config, platform, home, rootless, log, cleanup });
  const tools = await findTools(config, home);
  const { files, images, records } = await openStores(options, home, tools.mkfsErofs);
  const runsc = { path: tools.runsc ?? "runsc", platform: config.platform, rootless };
  const usage = new UsageBoard();
  const metrics = new RunMetrics();
  const totals = new RunTotals();
  const shows_memory_total = !rootless && (await canShowMemoryTotal(platform, home.root));
  const mistakes_namespaces = network.networks.unavailable === null && (await mistakesNamespaces(platform));
  const sandboxes = openSandboxes({
    ...{ config, platform, home, log, runsc, images, shows_memory_total, mistakes_namespaces, cleanup },
    cgroups: usage.watch(cgroups),
    load: () => runner.stats(),
  });
  const runParts = { sandbox: sandboxes.sandbox, images, files, network, config };
  const runner: Runner = new Runner(runParts, config, log, [records, metrics, totals]);
  const readiness = createReadinessCheck({
    ...{ platform, rootless, cgroups },
    runscPath: tools.runsc,
    mkfsErofsPath: tools.mkfsErofs,
    home: home.root,
    networks: network.networks,
    isDraining: () => runner.draining,
  });
  return { cgroups, files, images, records, usage, metrics, totals, sandboxes, runner, readiness };
}

/** Opens what is kept: files, images and records of runs. */
async function openStores(
  { config, platform, log, cleanup }: ServiceOptions,
  home: Home,
  mkfsErofs: string | null,
): Promise<Pick<ServiceParts, "files" | "images" | "records">> {
  const files = await openFileStore({ root: home.files, staging: home.uploads, log, platform, config });
  cleanup.defer("file store", () => files.close());
  const images = await openImages(config, platform, home, mkfsErofs, log);
  cleanup.defer("image store", () => images.close());
  await importLocalImages(images, join(home.root, "setup"), log);
  const records = new RunRecords({ platform, path: home.runRecords, config, log });
  cleanup.defer("run records", () => records.close());
  return { files, images, records };
}
