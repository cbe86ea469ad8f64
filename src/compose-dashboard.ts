import type { Logger } from "pino";
import packageJson from "../package.json" with { type: "json" };
import type { Config } from "./config/config.ts";
import { startWarnings } from "./config/start-warnings.ts";
import { DashboardAuth } from "./dashboard/access/dashboard-auth.ts";
import { createDashboard, type DashboardHandler } from "./dashboard/create-dashboard.ts";
import { createLiveSource, type LiveSourceParts } from "./dashboard/live/live-source.ts";
import { clientOf } from "./http/client-of.ts";

/** The dashboard of a service. */
export interface Dashboard {
  readonly handle: DashboardHandler;
  /** Ends the streams of the pages that are open. */
  close(): void;
}

/** Puts the dashboard together from the parts of the service. */
export function openDashboard(
  parts: Omit<LiveSourceParts, "config" | "warnings" | "version">,
  config: Config,
  log: Logger,
): Dashboard {
  // What the host does not enforce, readiness tells.
  const warnings = startWarnings(config, process.geteuid?.() === 0, []);
  const source = createLiveSource({ ...parts, config, warnings, version: packageJson.version });
  const auth = new DashboardAuth(config.dashboard, config.listen);
  const { request_limit_bytes } = config;
  return {
    handle: createDashboard({
      source,
      auth,
      request_limit_bytes,
      clientOf: (request) => clientOf(request, config),
      log,
    }),
    close: () => source.close(),
  };
}
