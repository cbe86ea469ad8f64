import type { AddressPlan } from "./address-plan.ts";
import { type BaseChain, lets, type Packet } from "./firewalls/packet-filter.ts";
import { parseIptables } from "./firewalls/parse-iptables.ts";
import { hookedChains, parseNftables } from "./firewalls/parse-nftables.ts";
import type { NetworkHost } from "./host-tools.ts";
import { readUplinks } from "./routes.ts";

/** What of the host's packet filters matters beside ours. */
export interface Firewalls {
  /** Where packets of others' tables begin. */
  readonly chains: readonly BaseChain[];
  /** Rules of iptables-legacy that there is no tool for. */
  readonly unseen: readonly string[];
  /** The interfaces by which sandboxes reach the world. */
  readonly uplinks: readonly string[];
}

const LEGACY = [
  { family: "ip", tool: "iptables-legacy", tables: "/proc/net/ip_tables_names" },
  { family: "ip6", tool: "ip6tables-legacy", tables: "/proc/net/ip6_tables_names" },
] as const;

/** See {@link firewallNotes}. What cannot be read is passed over. */
export async function readFirewallNotes(
  host: NetworkHost,
  { ip, nft }: { readonly ip: string; readonly nft: string },
  plan: AddressPlan,
): Promise<string[]> {
  const ours = plan.interfacePrefix;
  const tables = await foreignTables(host, nft, plan.table).catch(() => []);
  const chains = tables.map(async (table) =>
    parseNftables(await host.run([nft, "-j", "-t", "list", "table", ...table]).catch(() => "{}"), ours),
  );
  const unseen: string[] = [];
  const legacy = LEGACY.map(async ({ family, tool, tables }) => {
    const names = await host.read(tables).catch(() => "");
    if (!/^filter$/m.test(names)) return [];
    const rules = await host.run([tool, "-S"]).catch(() => null);
    if (rules === null) unseen.push(tool);
    return rules === null ? [] : parseIptables(family, rules, ours);
  });
  const all = (await Promise.all([...chains, ...legacy])).flat();
  const { ipv4, ipv6 } = await readUplinks(host, ip).catch(() => ({ ipv4: [], ipv6: [] }));
  return firewallNotes({ chains: all, unseen, uplinks: [...ipv4, ...ipv6] }, plan);
}

/** Sets without their elements (`-t`): others' block lists may have millions. */
async function foreignTables(host: NetworkHost, nft: string, own: string): Promise<[string, string][]> {
  const hooked = hookedChains(await host.run([nft, "-j", "list", "chains"]));
  const tables = hooked
    .filter(({ table, hook }) => table !== own && (hook === "forward" || hook === "input"))
    .map(({ family, table }) => `${family} ${table}`);
  return [...new Set(tables)].map((table) => table.split(" ") as [string, string]);
}

/**
 * What the operator should know of others' rules, with the commands that mend it. What we let through meets them as well,
 * as it should: only they can let it pass there (nft(8): "accept" ends the evaluation of one base chain, "drop" of all).
 * The commands name our interfaces, and so hold for IPv4 and IPv6 whatever addresses the links have. Pure.
 */
export function firewallNotes({ chains, unseen, uplinks }: Firewalls, plan: AddressPlan): string[] {
  const [out, back, questions] = packets(plan, uplinks);
  const shut = (hook: string, all: readonly Packet[]) =>
    chains.filter((chain) => chain.hook === hook && !all.every((packet) => lets(chain, packet)));
  const forward = notesOf(shut("forward", [...out, ...back]), plan, "Sandboxes' traffic is dropped by");
  const what = "Sandboxes' look-ups, where egress has names, are dropped by";
  const input = notesOf(shut("input", questions), plan, what);
  // A command that opens both need not be said twice.
  const said = new Set(forward.values());
  const rest = [...input].filter(([, command]) => !said.has(command));
  return [
    ...[...forward, ...rest].map(([beginning, command]) => `${beginning}: ${command}`),
    ...unseen.map(
      (tool) => `Rules of ${tool} may drop sandboxes' traffic; there is no ${tool} that shows them`,
    ),
  ];
}

/** What leaves sandboxes, what answers that, and what asks the DNS proxy; of each family that links have. */
function packets(plan: AddressPlan, uplinks: readonly string[]): [Packet[], Packet[], Packet[]] {
  const link = `${plan.interfacePrefix}0`;
  const families = [
    { version: 4 as const, network: plan.network },
    ...(plan.network6 === null ? [] : [{ version: 6 as const, network: plan.network6 }]),
  ];
  return [
    families.map(({ version, network }) => ({
      version,
      iifname: link,
      oifnames: uplinks,
      saddr: network,
      state: "new",
    })),
    families.flatMap(({ version, network }) =>
      uplinks.map((uplink) => ({
        version,
        iifname: uplink,
        oifnames: [link],
        daddr: network,
        state: "established" as const,
      })),
    ),
    [{ version: 4, iifname: link, oifnames: [], saddr: plan.network, state: "new", dport: 53 }],
  ];
}

/** How each note begins, and its command; each firewall once. */
function notesOf(chains: readonly BaseChain[], plan: AddressPlan, what: string): Map<string, string> {
  const notes = new Map<string, string>();
  for (const chain of chains) {
    const [name, command] = remedyOf(chain, plan.interfacePrefix);
    const beginning = `${what} ${name}; this lets it pass`;
    const said = notes.get(beginning);
    if (said === undefined) notes.set(beginning, command);
    else if (said !== command) notes.set(beginning, `${said}; ${command}`);
  }
  return notes;
}

/** Whose a chain is, and the command that lets our links through it. */
function remedyOf(chain: BaseChain, ours: string): [string, string] {
  const { family, table, name, hook, isLegacy, chains } = chain;
  const isForward = hook === "forward";
  const links = `${ours}+`;
  if (table === "firewalld") {
    const add = `--zone=trusted --add-interface=${links}`;
    return ["firewalld", `firewall-cmd ${add}; firewall-cmd --permanent ${add}`];
  }
  const isIptables = table === "filter" && name === (isForward ? "FORWARD" : "INPUT") && family !== "inet";
  if (isIptables && [...chains.keys()].some((each) => /^ufw6?-user-/.test(each))) {
    return ["ufw", isForward ? `ufw route allow in on ${links}` : `ufw allow in on ${links} to any port 53`];
  }
  if (isIptables) {
    const tool = `${family}tables${isLegacy ? "-legacy" : ""}`;
    const isDocker = isForward && chains.has("DOCKER-USER");
    const insert = `${tool} -I ${isDocker ? "DOCKER-USER" : name}`;
    const answers = `-m conntrack --ctstate ESTABLISHED,RELATED`;
    const opened = isForward
      ? [`-i ${links} -j ACCEPT`, `-o ${links} ${answers} -j ACCEPT`]
      : ["udp", "tcp"].map((protocol) => `-i ${links} -p ${protocol} --dport 53 -j ACCEPT`);
    const whose = isDocker ? "Docker's rules" : `${tool}'s ${name}`;
    return [whose, opened.map((rule) => `${insert} ${rule}`).join("; ")];
  }
  const insert = `nft insert rule ${family} ${table} ${name}`;
  const opened = isForward
    ? [`iifname '"${ours}*"' accept`, `oifname '"${ours}*"' ct state established,related accept`]
    : [`iifname '"${ours}*"' meta l4proto '{ tcp, udp }' th dport 53 accept`];
  return [`the chain ${family} ${table} ${name}`, opened.map((rule) => `${insert} ${rule}`).join("; ")];
}
