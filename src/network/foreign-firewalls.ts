import type { AddressPlan } from "./address-plan.ts";

/** What of the host's packet filters matters beside ours. */
export interface Firewalls {
  /** What `nft -j list chains` answers. */
  readonly chains: string;
  /** /proc/net/ip_tables_names, or nothing where there is no such file: tables of the older iptables. */
  readonly legacyTables: string;
}

/**
 * What the operator should know of others' rules. What we let through meets them as well, as it should: only they can
 * let it pass there (nft(8): "accept" ends the evaluation of one base chain, "drop" of all).
 */
export function firewallNotes(
  { chains, legacyTables }: Firewalls,
  { table, network }: AddressPlan,
): string[] {
  const foreign = readChains(chains).filter((chain) => chain.table !== table);
  const closed = foreign.filter(({ hook, policy }) => hook === "forward" && policy === "drop");
  const has = (name: string) => foreign.some((chain) => chain.name === name);
  const what = `Sandboxes' traffic (${network})`;
  const advice = [
    ...(has("DOCKER-USER")
      ? [
          `${what} must pass Docker's rules: iptables -I DOCKER-USER -s ${network} -j ACCEPT; ` +
            `iptables -I DOCKER-USER -d ${network} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
        ]
      : []),
    ...(has("ufw-user-forward")
      ? [
          `${what} must pass ufw: ufw route allow from ${network}; ufw allow proto udp from ${network} to any port 53`,
        ]
      : []),
    ...(foreign.some((chain) => chain.table === "firewalld")
      ? [`${what} must pass firewalld: firewall-cmd --permanent --zone=trusted --add-source=${network}`]
      : []),
    ...(/^filter$/m.test(legacyTables)
      ? [`${what} must pass the rules of iptables-legacy too: iptables-legacy -S FORWARD shows them`]
      : []),
  ];
  if (advice.length > 0 || closed.length === 0) return advice;
  const names = closed.map(({ family, table, name }) => `${family} ${table} ${name}`).join(", ");
  return [`${what} is dropped unless it is accepted in ${names}`];
}

interface Chain {
  readonly family: unknown;
  readonly table: unknown;
  readonly name: unknown;
  readonly hook: unknown;
  readonly policy: unknown;
}

function readChains(json: string): Chain[] {
  const document = JSON.parse(json) as { nftables?: { chain?: Chain }[] };
  return (document.nftables ?? []).flatMap(({ chain }) => (chain ? [chain] : []));
}
