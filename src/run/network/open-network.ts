import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { CleanupStack } from "../../core/cleanup-stack.ts";
import { BoxerError, errnoOf, messageOf } from "../../core/errors.ts";
import { logLeftover } from "../../core/log-leftover.ts";
import { settleAll } from "../../core/settle-all.ts";
import { type DnsProxy, startDnsProxy } from "../../network/dns/start-dns-proxy.ts";
import type { EgressPolicy } from "../../network/egress/egress-policy.ts";
import type { NetworkUsage as Counters, Networks, RunNetwork } from "../../network/types.ts";
import { type GuestFile, type GuestNetwork, NO_NETWORK } from "../../sandbox/guest-network.ts";
import type { NetworkPlan, NetworkRules } from "./plan-network.ts";

/** What the networks of runs are made with. */
export interface NetworkParts extends NetworkRules {
  readonly networks: Networks;
  readonly log: Logger;
}

/** What a run did with its network. */
export interface NetworkUsage extends Counters {
  /** Look-ups that Boxer answered, and refused; null where the run asked name servers itself. */
  readonly dns_allowed: number | null;
  readonly dns_refused: number | null;
}

/** The network of one run. */
export interface OpenedNetwork {
  readonly guest: GuestNetwork;
  /** What the run did with it, once it has ended: nobody answers its look-ups afterwards. Never throws. */
  usage(): Promise<NetworkUsage | null>;
}

const DNS_PORT = 53;
const HOSTS = "127.0.0.1\tlocalhost boxer\n::1\tlocalhost ip6-localhost ip6-loopback\n";
const RESOLVER = "/etc/resolv.conf";
const MODE = 0o644;

/** Takes the undo of a network; runs it at its own place in the undo of the run. */
export function networkCleanup({ log }: NetworkParts, cleanup: CleanupStack): CleanupStack {
  const own = new CleanupStack(logLeftover(log));
  cleanup.defer("network", () => own.run());
  return own;
}

/**
 * Makes the network that was planned.
 * @param directory the run's own
 * @param cleanup told how to remove it all again; to be run when the sandbox is dead
 * @throws BoxerError `limit_unenforceable`, `sandbox_failed`; what writing gives
 */
export async function openNetwork(
  parts: NetworkParts,
  plan: NetworkPlan,
  directory: string,
  cleanup: CleanupStack,
): Promise<OpenedNetwork> {
  if (plan.mode !== "sandbox") {
    const files = plan.mode === "host" ? await hostFiles(directory) : [];
    return { guest: { ...NO_NETWORK, mode: plan.mode, files }, usage: async () => null };
  }
  const network = await parts.networks.create(plan.wall, cleanup);
  const { dns } = plan.wall;
  const proxy = dns === "gateway" ? await startProxy(parts, plan.names, network) : null;
  if (proxy) cleanup.defer("DNS proxy", () => proxy.close());
  const servers = dns === "gateway" ? [network.gateway] : dns;
  return {
    guest: {
      mode: "sandbox",
      // Those who wait in a mount namespace of their own need not see what has been mounted since.
      netns_path: `/proc/${process.pid}/root${network.netns_path}`,
      files: await sandboxFiles(directory, servers),
      restore: () => network.restore(),
    },
    usage: () => usageOf(network, proxy, parts.log),
  };
}

async function startProxy(
  { config, isForbidden, log }: NetworkParts,
  policy: EgressPolicy,
  { gateway, address6, allow }: RunNetwork,
): Promise<DnsProxy> {
  const starting = startDnsProxy({
    bind: { address: gateway, port: DNS_PORT },
    upstreams: config.dns_servers.map((address) => ({ address, port: DNS_PORT })),
    policy,
    isForbidden,
    open: allow,
    hasIpv6: address6 !== null,
    log,
  });
  return starting.catch((cause) => {
    const why = errnoOf(cause) ?? messageOf(cause);
    throw new BoxerError("sandbox_failed", `Cannot answer look-ups at ${gateway}:${DNS_PORT}: ${why}`, {
      cause,
    });
  });
}

/** Nothing of the host's own: its name servers and names may be those of a private network. */
async function sandboxFiles(directory: string, servers: readonly string[]): Promise<GuestFile[]> {
  const resolver = servers.map((server) => `nameserver ${server}\n`).join("");
  const files = [
    { source: join(directory, "resolv.conf"), destination: RESOLVER, text: resolver },
    { source: join(directory, "hosts"), destination: "/etc/hosts", text: HOSTS },
  ];
  await settleAll(files.map(({ source, text }) => writeFile(source, text, { mode: MODE })));
  return files.map(({ source, destination }) => ({ source, destination }));
}

/** Whoever is on the host's network looks names up as the host does. */
async function hostFiles(directory: string): Promise<GuestFile[]> {
  const source = join(directory, "resolv.conf");
  await copyFile(RESOLVER, source).catch(() => writeFile(source, "", { mode: MODE }));
  return [{ source, destination: RESOLVER }];
}

async function usageOf(
  network: RunNetwork,
  proxy: DnsProxy | null,
  log: Logger,
): Promise<NetworkUsage | null> {
  try {
    await proxy?.close();
    const counts = proxy?.counts();
    const counters = await network.counters();
    return { ...counters, dns_allowed: counts?.allowed ?? null, dns_refused: counts?.refused ?? null };
  } catch (err) {
    log.warn({ err }, "cannot read what a run did with its network");
    return null;
  }
}
