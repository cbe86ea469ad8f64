import ipaddr from "ipaddr.js";
import { BoxerError, messageOf } from "../core/errors.ts";
import { findExecutable } from "../platform/find-executable.ts";
import { COMMAND_ENV } from "../platform/run-command.ts";
import { type AddressPlan, planAddresses, tagOf } from "./address-plan.ts";
import { firewallNotes } from "./foreign-firewalls.ts";
import { Forwarding } from "./forwarding.ts";
import type { NetworkHost } from "./host-tools.ts";
import { missingCapability } from "./missing-capability.ts";
import { parseRoutes, type Route, routesInto, uplinks6Of, uplinksOf } from "./routes.ts";
import { type NetworkTools, RunNetworks } from "./run-networks.ts";
import { sweepLinks } from "./sweep-links.ts";
import type { Networks, SweptNetworks } from "./types.ts";
import { wallScript } from "./wall.ts";

/** What {@link openNetworks} needs. */
export interface NetworksOptions {
  readonly host: NetworkHost;
  /** The server's home; tells its networks from those of other servers. */
  readonly home: string;
  /** Path of the file that remembers which uplinks forward for our sake. */
  readonly record: string;
  readonly config: {
    /** Undefined: the first of {@link DEFAULT_NETWORKS} that the host does not route. */
    readonly network_cidr: string | undefined;
    /** The operator's consent to forwarding on the uplinks. */
    readonly enable_forwarding: boolean;
  };
  /** Told of what an earlier server left. */
  onSwept?(swept: SweptNetworks): void;
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

async function open({ host, home, record, config, onSwept }: NetworksOptions): Promise<Networks> {
  const lacking = missingCapability(await host.read("/proc/self/status"));
  if (lacking !== null) return withoutNetworks(`the server lacks ${lacking}`);
  const tools = await findTools();
  if (typeof tools === "string") return withoutNetworks(`this host has no ${tools}`);
  const tag = tagOf(home);
  const swept = await sweepLinks(host, tools.ip, planAddresses(tag, "0.0.0.0/30", false));
  if (swept.namespaces + swept.interfaces > 0) onSwept?.(swept);
  const forwarding = new Forwarding(host, record);
  await forwarding.restore();
  await dropTable(host, tools.nft, `boxer_${tag}`);

  const routes = parseRoutes(await host.read("/proc/net/route"));
  const network = chooseNetwork(config.network_cidr, routes);
  if (network instanceof Error) return withoutNetworks(network.message);
  const on = await host.read("/proc/net/ipv6_route").catch(() => "");
  const { ipv4, ipv6 } = await planForwarding(forwarding, uplinksOf(routes), uplinks6Of(on), config);
  if (ipv4 === null) {
    return withoutNetworks(
      "this host does not forward IPv4, and enable_forwarding does not let Boxer change that",
    );
  }
  const plan = planAddresses(tag, network, ipv6 !== null);
  await forwarding.open({ ...(ipv4.open && { ipv4: ipv4.open }), ...(ipv6?.open && { ipv6: ipv6.open }) });
  try {
    await host.run([tools.nft, "-f", "-"], wallScript(plan, forwarding.opened));
    return new RunNetworks(host, tools, plan, forwarding, await readNotes(host, tools.nft, plan));
  } catch (error) {
    await forwarding.close();
    throw error;
  }
}

/** A way to have a family forwarded: as it is, or by opening these. Null: there is none. */
type Way = { readonly open?: readonly string[] } | null;

async function planForwarding(
  forwarding: Forwarding,
  uplinks: readonly string[],
  uplinks6: readonly string[],
  { enable_forwarding }: NetworksOptions["config"],
): Promise<{ ipv4: Way; ipv6: Way }> {
  const way = async (family: "ipv4" | "ipv6", names: readonly string[]): Promise<Way> => {
    if (await forwarding.isOn(family)) return {};
    return enable_forwarding && (await forwarding.canOpen(family)) ? { open: names } : null;
  };
  // Without a way out by IPv6 a program had better not believe in one.
  return {
    ipv4: await way("ipv4", uplinks),
    ipv6: uplinks6.length === 0 ? null : await way("ipv6", uplinks6),
  };
}

/** @returns the tools, or the name of one that is missing */
async function findTools(): Promise<NetworkTools | string> {
  const find = (name: string) =>
    findExecutable(
      name,
      SYSTEM_DIRECTORIES.map((directory) => `${directory}/${name}`),
      COMMAND_ENV.PATH,
    );
  const [ip, nft, tc] = [await find("ip"), await find("nft"), await find("tc")];
  if (ip === null) return "ip (iproute2)";
  return nft === null ? "nft (nftables)" : { ip, nft, tc };
}

/** In one transaction, also where there is none. */
async function dropTable(host: NetworkHost, nft: string, table: string): Promise<void> {
  await host.run([nft, "-f", "-"], `add table inet ${table}\ndelete table inet ${table}\n`);
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

async function readNotes(host: NetworkHost, nft: string, plan: AddressPlan): Promise<string[]> {
  const chains = await host.run([nft, "-j", "list", "chains"]);
  const legacyTables = await host.read("/proc/net/ip_tables_names").catch(() => "");
  return firewallNotes({ chains, legacyTables }, plan);
}

/** What stands for networks where there can be none. Pure. */
export function withoutNetworks(unavailable: string): Networks {
  return {
    unavailable,
    notes: [],
    async create() {
      throw networkUnavailable(unavailable);
    },
    async close() {},
  };
}

/** What a run is told that cannot have a network, and why. Pure. */
export function networkUnavailable(reason: string): BoxerError {
  const field = "network";
  return new BoxerError("network_unavailable", `network sandbox is not available on this server: ${reason}`, {
    field,
  });
}
