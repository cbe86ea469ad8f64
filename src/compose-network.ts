import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/load-config.ts";
import type { CleanupStack } from "./core/cleanup-stack.ts";
import { BoxerError } from "./core/errors.ts";
import type { Home } from "./core/home.ts";
import { logLeftover } from "./core/log-leftover.ts";
import { createIsForbidden } from "./network/egress/create-is-forbidden.ts";
import { type OperatorEgress, parseOperatorEgress } from "./network/egress/operator-egress.ts";
import { thisHost } from "./network/host-tools.ts";
import { openNetworks, withoutNetworks } from "./network/networks.ts";
import type { Networks } from "./network/types.ts";
import type { Platform } from "./platform/platform.ts";
import type { NetworkParts } from "./run/network/open-network.ts";

/** What the networks of a service are opened with. */
export interface ServiceNetworkParts {
  readonly config: Config;
  readonly platform: Platform;
  readonly home: Home;
  readonly rootless: boolean;
  readonly log: Logger;
  /** Takes the undo. */
  readonly cleanup: CleanupStack;
}

/**
 * Removes the networks of an earlier server, whose sandboxes must be dead, and gets ready to make others.
 * @throws ConfigError for an `egress` that cannot be
 */
export async function openServiceNetworks(parts: ServiceNetworkParts): Promise<NetworkParts> {
  const { config, log, cleanup } = parts;
  const isForbidden = createIsForbidden(config.network_cidr);
  const operator = readOperatorEgress(config);
  const networks = await openWhereRoot(parts);
  cleanup.defer("networks", () => networks.close());
  return { networks, operator, isForbidden, config, log };
}

/** The configuration's `egress`, read. @throws ConfigError naming the entry that cannot be */
export function readOperatorEgress(config: Pick<Config, "egress" | "network_cidr">): OperatorEgress {
  try {
    return parseOperatorEgress(config.egress, createIsForbidden(config.network_cidr));
  } catch (error) {
    if (error instanceof BoxerError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/** Without root runsc makes a user namespace of its own, which no network of the host can be entered from. */
async function openWhereRoot({
  config,
  platform,
  home,
  rootless,
  log,
}: ServiceNetworkParts): Promise<Networks> {
  if (rootless) return withoutNetworks("the server is not root");
  return openNetworks({
    host: thisHost(platform),
    home: home.root,
    record: join(home.root, "network.json"),
    config,
    onLeftover: logLeftover(log),
    onSwept: (swept) => log.warn(swept, "swept the networks that an earlier server left"),
  });
}
