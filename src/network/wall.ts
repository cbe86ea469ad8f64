import type { AddressPlan } from "./address-plan.ts";
import type { OpenedUplinks } from "./forwarding.ts";
import { NEVER_RANGES, SPECIAL_RANGES } from "./special-ranges.ts";

/**
 * The table of one server, for `nft -f`: replaces what an earlier one left, in one transaction. Pure.
 *
 * It names only our own interfaces, whatever is not theirs is passed on untouched. A link that no element of a set or map
 * knows yet, or no longer, lets nothing through. Our hooks come shortly before the usual priorities (nft(8)): others may
 * refuse what we let through, and cannot let through what we refuse.
 *
 * - `source`: before connection tracking; only the addresses of the link itself. Each run has a zone of connection
 *   tracking of its own for what it begins, by which whoever has its addresses later is told from it: what the host still
 *   knows of ended runs says nothing of the new one's packets, and its peers' packets do not get in.
 * - `forward`: between links nothing; out by the run's chain; in only what belongs to a connection of the run itself.
 * - `input`: nothing to the host, but for the DNS proxy. `output`: nothing from the host that the run did not ask for.
 * - `nat`: sees the first packet of each connection, which makes it the place to count them.
 * - `refuse` answers, so that programs need not wait: RST for TCP, otherwise "administratively prohibited".
 * @param opened uplinks that forward for our sake only: they keep from forwarding anything else
 */
export function wallScript(plan: AddressPlan, opened: OpenedUplinks): string {
  const ours = `"${plan.interfacePrefix}*"`;
  const { network6 } = plan;
  return `${dropScript(plan.table)}table inet ${plan.table} {
${rangeSet("never4", "ipv4_addr", [...NEVER_RANGES.ipv4, plan.network])}
${rangeSet("never6", "ipv6_addr", [...NEVER_RANGES.ipv6, ...(network6 === null ? [] : [network6])])}
${rangeSet("special4", "ipv4_addr", SPECIAL_RANGES.ipv4)}
${rangeSet("special6", "ipv6_addr", SPECIAL_RANGES.ipv6)}
  set guests4 { type ifname . ipv4_addr; }
  set guests6 { type ifname . ipv6_addr; }
  map zones { typeof iifname : ct zone; }
  set flows { typeof oifname . ct original zone; }
  map resolvers { type ifname . ipv4_addr : verdict; }
  set sent { type ifname; counter; }
  set received { type ifname; counter; }
  set refused { type ifname; counter; }
  set allowed4 { type ipv4_addr; counter; }
  set allowed6 { type ipv6_addr; counter; }
${openedSet(4, opened.ipv4)}
${openedSet(6, opened.ipv6)}
  map egress { type ifname : verdict; }
  chain refuse {
    meta l4proto { tcp, udp, icmp, icmpv6 } iifname @refused
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain never {
    ct status dnat goto refuse
    ip daddr @never4 goto refuse
    ip6 daddr @never6 goto refuse
  }
  chain special {
    ip daddr @special4 goto refuse
    ip6 daddr @special6 goto refuse
  }
  chain source {
    type filter hook prerouting priority raw - 5; policy accept;
    iifname != ${ours} accept
    iifname . ip saddr @guests4 goto enter
    iifname . ip6 saddr @guests6 goto enter
    drop
  }
  chain enter { ct original zone set iifname map @zones; }
  chain outbound {
    ct state established accept
    ct state related meta l4proto { icmp, icmpv6 } accept
    ct state != new drop
    iifname vmap @egress
    drop
  }
  chain inbound {
    oifname . ct original zone != @flows drop
    ct state established accept
    ct state related meta l4proto { icmp, icmpv6 } accept
    drop
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname ${ours} oifname ${ours} goto refuse
    iifname ${ours} goto outbound
    oifname ${ours} goto inbound
    ct state established accept
    ct state related meta l4proto { icmp, icmpv6 } accept
    meta nfproto ipv4 iifname @opened4 drop
    meta nfproto ipv6 iifname @opened6 drop
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    iifname != ${ours} accept
    meta l4proto { tcp, udp } th dport 53 iifname . ip daddr vmap @resolvers
    goto refuse
  }
  chain output {
    type filter hook output priority filter - 5; policy accept;
    oifname != ${ours} accept
    ct state new drop
    oifname . ct original zone != @flows drop
  }
  chain sent_out { type filter hook forward priority filter + 300; policy accept; iifname @sent; }
  chain sent_in { type filter hook input priority filter + 300; policy accept; iifname @sent; }
  chain received { type filter hook postrouting priority filter + 300; policy accept; oifname @received; }
  chain nat {
    type nat hook postrouting priority srcnat - 5; policy accept;
    ip saddr ${plan.network} oifname != ${ours} goto leave4
${network6 === null ? "" : `    ip6 saddr ${network6} oifname != ${ours} goto leave6\n`}  }
  chain leave4 { ip saddr @allowed4; masquerade; }
  chain leave6 { ip6 saddr @allowed6; masquerade; }
}
`;
}

/** Removes a table for `nft -f`, in one transaction, also where there is none. Pure. */
export function dropScript(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

function openedSet(version: 4 | 6, names: readonly string[]): string {
  const elements = names.map((name) => JSON.stringify(name)).join(", ");
  return `  set opened${version} { type ifname; ${elements && `elements = { ${elements} }`} }`;
}

function rangeSet(name: string, type: string, ranges: readonly string[]): string {
  return `  set ${name} { type ${type}; flags interval; auto-merge; elements = { ${ranges.join(", ")} } }`;
}
