import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { openServiceCgroups } from "./compose-cgroups.ts";
import { openDashboard } from "./compose-dashboard.ts";
import { findTools, openImages } from "./compose-images.ts";
import { openServiceNetworks } from "./compose-network.ts";
import { followWarmImages, openSandboxes, type Sandboxes } from "./compose-sandbox.ts";
import type { Config } from "./config/config.ts";
import { formatListenAddress, type ListenAddress } from "./config/listen-address.ts";
import { startWarnings } from "./config/start-warnings.ts";
import { CleanupStack } from "./core/cleanup-stack.ts";
import { messageOf } from "./core/errors.ts";
import { type Home, homeAt } from "./core/home.ts";
import { UsageBoard } from "./dashboard/live/usage-board.ts";
import { RunMetrics } from "./dashboard/metrics/run-metrics.ts";
import { openFileStore } from "./files/file-store.ts";
import { createHandler } from "./http/app.ts";
import { importLocalImages } from "./image/local-images.ts";
import { prepullImages } from "./image/prepull.ts";
import type { ImageStore } from "./image/types.ts";
import { lockHome } from "./platform/home-lock.ts";
import type { Platform, ServeOptions, Server } from "./platform/platform.ts";
import { removeTree } from "./platform/remove-tree.ts";
import { PROBE_PREFIX } from "./platform/with-probe.ts";
import { createReadinessCheck } from "./run/readiness.ts";
import { RunRecords } from "./run/records/run-records.ts";
import { Runner } from "./run/runner.ts";
import type { Cgroups } from "./sandbox/cgroup/types.ts";
import { canShowMemoryTotal } from "./sandbox/guest-memory.ts";
import { mistakesNamespaces } from "./sandbox/guest-network.ts";
import { killStraySandboxes } from "./sandbox/sweep.ts";
import { sweepMounts } from "./sandbox/sweep-mounts.ts";

/** A service that is up. */
export interface Service {
  readonly server: Server;
  readonly images: ImageStore;
  readonly runner: Runner;
  readonly sandboxes: Pick<Sandboxes, "ready" | "pool">;
  /**
   * Takes no more runs, lets those under way end for as long as `shutdown_grace_secs`, stops the rest, and gives back
   * everything.
   */
  stop(): Promise<void>;
}

/** Runs have been answered by then; what is left are idle or stalled clients. */
const CONNECTIONS_GRACE_MS = 1_000;

/**
 * Puts the concrete parts together and serves.
 * @throws HomeInUseError, ListenError, and what opening the stores or the port gives; then nothing stays behind
 */
export async function startService(config: Config, platform: Platform, log: Logger): Promise<Service> {
  const cleanup = new CleanupStack((label, err) => log.error({ err }, `Cannot give back the ${label}`));
  try {
    return await start(config, platform, log, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(
  config: Config,
  platform: Platform,
  log: Logger,
  cleanup: CleanupStack,
): Promise<Service> {
  const home = homeAt(config.home);
  await mkdir(home.root, { recursive: true, mode: 0o700 });
  cleanup.defer("home lock", lockHome(platform, home.lock));
  const cgroups = await openServiceCgroups(config, home, cleanup);
  await sweepRuns(home, cgroups, platform, log);
  const rootless = process.geteuid?.() !== 0;
  const network = await openServiceNetworks({ config, platform, home, rootless, log, cleanup });
  const tools = await findTools(config, home);
  const files = await openFileStore({ root: home.files, staging: home.uploads, log, platform, config });
  cleanup.defer("file store", () => files.close());
  const images = await openImages(config, platform, home, tools.mkfsErofs, log);
  cleanup.defer("image store", () => images.close());
  await importLocalImages(images, join(home.root, "setup"), log);
  const runsc = {
    path: tools.runsc ?? "runsc",
    platform: config.platform,
    rootless,
  };
  const records = new RunRecords({ platform, path: home.runRecords, config, log });
  cleanup.defer("run records", () => records.close());
  const usage = new UsageBoard();
  const metrics = new RunMetrics();
  const shows_memory_total = !rootless && (await canShowMemoryTotal(platform, home.root));
  const mistakes_namespaces = network.networks.unavailable === null && (await mistakesNamespaces(platform));
  const sandboxes = openSandboxes({
    ...{ config, platform, home, log, runsc, images, shows_memory_total, mistakes_namespaces, cleanup },
    cgroups: usage.watch(cgroups),
    load: () => runner.stats(),
  });
  const { sandbox } = sandboxes;
  const runner: Runner = new Runner({ sandbox, images, files, network, config }, config, log, [
    records,
    metrics,
  ]);
  const readiness = createReadinessCheck({
    platform,
    runscPath: tools.runsc,
    mkfsErofsPath: tools.mkfsErofs,
    rootless,
    home: home.root,
    cgroups,
    networks: network.networks,
    isDraining: () => runner.draining,
  });
  const watched = { runner, records, files, images, readiness, metrics, usage };
  const dashboard = openDashboard(watched, config, log);
  const fetch = createHandler({
    ...watched,
    ...{ config, log, dashboard: dashboard.handle },
    warmPool: () => sandboxes.pool.stats(),
  });
  const server = await listen(platform, config.listen, fetch);
  cleanup.defer("server", () => server.stop(CONNECTIONS_GRACE_MS));
  cleanup.defer("dashboard", () => dashboard.close());
  // The server waits for its answers, and some of them for a pull.
  cleanup.defer("pulls", () => images.drain());
  startPrepull(images, sandboxes, config, log, cleanup);
  await announce(config, server, cgroups, readiness, log);
  return {
    server,
    images,
    runner,
    sandboxes,
    async stop() {
      await runner.drain(config.shutdown_grace_secs * 1000);
      await cleanup.run();
    },
  };
}

/** Fetches what the configuration names, and boots sandboxes for it. */
function startPrepull(
  images: ImageStore,
  sandboxes: Sandboxes,
  config: Config,
  log: Logger,
  cleanup: CleanupStack,
): void {
  const stop = new AbortController();
  const prepulled = Promise.all([
    prepullImages(images, config.images_prepull, log, stop.signal),
    followWarmImages(sandboxes, { images, config, log }, stop.signal),
  ]);
  cleanup.defer("pre-pull", async () => {
    stop.abort();
    await prepulled;
  });
}

/** The address cannot be bound. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

async function listen(
  platform: Platform,
  address: ListenAddress,
  fetch: ServeOptions["fetch"],
): Promise<Server> {
  try {
    return await platform.serve({ ...address, fetch });
  } catch (error) {
    const where = formatListenAddress(address);
    throw new ListenError(`${where}: cannot listen: ${messageOf(error)}`, { cause: error });
  }
}

/** Removes what runs of an earlier server left when that was killed. */
async function sweepRuns(home: Home, cgroups: Cgroups, platform: Platform, log: Logger): Promise<void> {
  await mkdir(home.emptyRoot, { recursive: true, mode: 0o755 });
  await mkdir(home.runs, { recursive: true, mode: 0o700 });
  await cgroups.sweep();
  const processes = await killStraySandboxes(home.runs);
  await sweepMounts(home.runs, platform);
  const left = await readdir(home.runs);
  for (const name of left) await removeTree(join(home.runs, name), platform);
  const probes = (await readdir(home.root)).filter((name) => name.startsWith(PROBE_PREFIX));
  for (const name of probes) await removeTree(join(home.root, name), platform);
  if (left.length > 0) log.warn({ runs: left.length, processes }, "swept what an earlier server left");
}

/** Says where the service is and what is not as it should be. */
async function announce(
  config: Config,
  server: Server,
  cgroups: Cgroups,
  readiness: ReturnType<typeof createReadinessCheck>,
  log: Logger,
): Promise<void> {
  const { reasons, notes, runsc_version, network_sandbox } = await readiness();
  for (const reason of reasons) log.error(`Not ready: ${reason}`);
  for (const warning of [...notes, ...startWarnings(config, process.geteuid?.() === 0, cgroups.unenforced)])
    log.warn(warning);
  const host = config.listen.hostname?.includes(":")
    ? `[${config.listen.hostname}]`
    : (config.listen.hostname ?? "localhost");
  log.info(
    { home: config.home, platform: config.platform, cgroups: cgroups.mode, runsc_version, network_sandbox },
    `Boxer serves http://${host}:${server.port}`,
  );
}
