import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { messageOf } from "../core/errors.ts";
import { findExecutable } from "../platform/find-executable.ts";
import { COMMAND_ENV } from "../platform/run-command.ts";
import { namesOf, planAddresses, tagOf } from "./address-plan.ts";
import { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { missingCapability } from "./missing-capability.ts";
import { networkUnavailable } from "./network-unavailable.ts";
import { parseRoutes, type Route, readUplinks, routesInto, type Uplinks } from "./routes.ts";
import { type NetworkTools, RunNetworks } from "./run-networks.ts";
import { sweepLinks } from "./sweep-links.ts";
import type { Networks, SweptNetworks } from "./types.ts";
import { dropScript, wallScript } from "./wall.ts";

/** What {@link openNetworks} needs. */
export interface NetworksOptions {
  readonly host: NetworkHost;
  /** The server's home: tells its networks from those of other servers, and has in `bin` what set-up fetched. */
  readonly home: string;
  /** Path of the file that remembers which uplinks forward for our sake. */
  readonly record: string;
  readonly config: {
    /** Undefined: the first of {@link DEFAULT_NETWORKS} that the host does not route. */
    readonly network_cidr: string | undefined;
    /** The operator's consent to forwarding on the uplinks. */
    readonly enable_forwarding: boolean;
    /** How many links are kept ready for runs to come. Default 0. */
    readonly prepared_runs?: number;
  };
  /** Told of what an earlier server left. */
  onSwept?(swept: SweptNetworks): void;
  /** Told of what was made ahead and cannot be removed. */
  onLeftover?(label: string, error: unknown): void;
}

/** Seldom used parts of the private networks (RFC 1918). */
export const DEFAULT_NETWORKS = ["10.231.0.0/16", "172.29.0.0/16", "192.168.224.0/19"];
const SYSTEM_DIRECTORIES = ["/usr/sbin", "/sbin"];

/**
 * Sees what the host can do, removes what an earlier server of this home left, and puts up the wall. On a host that
 * cannot have networks, nothing but that is removed, and {@link Networks.unavailable} says why. Never throws for what the
 * host lacks.
 */
export async function openNetworks(options: NetworksOptions): Promise<Networks> {
  try {
    return await open(options);
  } catch (error) {
    return withoutNetworks(messageOf(error));
  }
}

async function open(options: NetworksOptions): Promise<Networks> {
  const { host, home, record, config, onSwept } = options;
  const lacking = missingCapability(await host.read("/proc/self/status"));
  if (lacking !== null) return withoutNetworks(`the server lacks ${lacking}`);
  const tools = await findTools(join(home, "bin"));
  if (typeof tools === "string") return withoutNetworks(`this host has no ${tools}`);
  const tag = tagOf(home);
  const names = namesOf(tag);
  const swept = await sweepLinks(host, tools.ip, names);
  if (swept.namespaces + swept.interfaces > 0) onSwept?.(swept);
  const forwarding = new Forwarding(host, record);
  await forwarding.restore();
  await host.run([tools.nft, "-f", "-"], dropScript(names.table));

  const routes = parseRoutes(await host.read("/proc/net/route"));
  const network = chooseNetwork(config.network_cidr, routes);
  if (network instanceof Error) return withoutNetworks(network.message);
  const { ipv4, ipv6 } = await planForwarding(forwarding, await readUplinks(host, tools.ip), config);
  if (ipv4 === null) {
    return withoutNetworks(
      "this host does not forward IPv4, and enable_forwarding does not let Boxer change that",
    );
  }
  const plan = planAddresses(tag, network, ipv6 !== null);
  const { prepared_runs: spare_links = 0, enable_forwarding } = config;
  const onLeftover = options.onLeftover ?? (() => undefined);
  try {
    await forwarding.open(
      { ...(ipv4.open && { ipv4: ipv4.open }), ...(ipv6?.open && { ipv6: ipv6.open }) },
      async (opened) => void (await host.run([tools.nft, "-f", "-"], wallScript(plan, opened))),
    );
    return new RunNetworks({ host, tools, plan, forwarding, enable_forwarding, spare_links, onLeftover });
  } catch (error) {
    await forwarding.close();
    throw error;
  }
}

/** A way to have a family forwarded: as it is, or by opening these. Null: there is none. */
type Way = { readonly open?: readonly string[] } | null;

async function planForwarding(
  forwarding: Forwarding,
  uplinks: Uplinks,
  { enable_forwarding }: NetworksOptions["config"],
): Promise<{ ipv4: Way; ipv6: Way }> {
  const way = async (family: "ipv4" | "ipv6", names: readonly string[]): Promise<Way> => {
    if (await forwarding.isOn(family)) return {};
    return enable_forwarding && (await forwarding.canOpen(family)) ? { open: names } : null;
  };
  // Without a way out by IPv6 a program had better not believe in one.
  return {
    ipv4: await way("ipv4", uplinks.ipv4),
    ipv6: uplinks.ipv6.length === 0 ? null : await way("ipv6", uplinks.ipv6),
  };
}

/** @returns the tools, or the name of one that is missing */
async function findTools(own: string): Promise<NetworkTools | string> {
  const find = (name: string) =>
    findExecutable(
      name,
      [own, ...SYSTEM_DIRECTORIES].map((directory) => `${directory}/${name}`),
      COMMAND_ENV.PATH,
    );
  const [ip, nft, tc] = [await find("ip"), await find("nft"), await find("tc")];
  if (ip === null) return "ip (iproute2)";
  return nft === null ? "nft (nftables)" : { ip, nft, tc };
}

function chooseNetwork(configured: string | undefined, routes: readonly Route[]): string | Error {
  const candidates = configured === undefined ? DEFAULT_NETWORKS : [configured];
  // Single links of other servers lie in it; those are passed over one by one.
  const isTaken = (network: string) =>
    routesInto(routes, network).some(({ prefix }) => prefix <= ipaddr.IPv4.parseCIDR(network)[1]);
  const free = candidates.find((network) => !isTaken(network));
  if (free !== undefined) return free;
  return new Error(
    `this host routes ${candidates.join(", ")} already; set network_cidr to a network that is free`,
  );
}

/** What stands for networks where there can be none. Pure. */
export function withoutNetworks(unavailable: string): Networks {
  return {
    unavailable,
    async notes() {
      return [];
    },
    async create() {
      throw networkUnavailable(unavailable);
    },
    async close() {},
  };
}
