import type { Logger } from "pino";
import { openDashboard } from "./compose-dashboard.ts";
import { openParts, type ServiceParts } from "./compose-parts.ts";
import { followWarmImages, type Sandboxes } from "./compose-sandbox.ts";
import type { Config } from "./config/config.ts";
import { formatListenAddress, type ListenAddress } from "./config/listen-address.ts";
import { startWarnings } from "./config/start-warnings.ts";
import { CleanupStack } from "./core/cleanup-stack.ts";
import { messageOf } from "./core/errors.ts";
import { EventLoopDelay } from "./core/event-loop-delay.ts";
import { logLeftover } from "./core/log-leftover.ts";
import { createHandler } from "./http/app.ts";
import { prepullImages } from "./image/prepull.ts";
import type { ImageStore } from "./image/types.ts";
import type { Platform, ServeOptions, Server } from "./platform/platform.ts";
import type { Runner } from "./run/runner.ts";

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
  const cleanup = new CleanupStack(logLeftover(log));
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
  const parts = await openParts({ config, platform, log, cleanup });
  const { images, runner, sandboxes } = parts;
  const dashboard = openDashboard(parts, config, log);
  const eventLoop = new EventLoopDelay();
  cleanup.defer("event loop delay", () => eventLoop.close());
  const fetch = createHandler({
    ...parts,
    ...{ config, log, eventLoop, dashboard: dashboard.handle },
    warmPool: () => sandboxes.pool.stats(),
  });
  const server = await listen(platform, config.listen, fetch);
  cleanup.defer("server", () => server.stop(CONNECTIONS_GRACE_MS));
  cleanup.defer("dashboard", () => dashboard.close());
  // The server waits for its answers, and some of them for a pull.
  cleanup.defer("pulls", () => images.drain());
  startPrepull(images, sandboxes, config, log, cleanup);
  await announce(config, server, parts, log);
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

/** Says where the service is and what is not as it should be. */
async function announce(
  config: Config,
  server: Server,
  { cgroups, readiness }: Pick<ServiceParts, "cgroups" | "readiness">,
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
