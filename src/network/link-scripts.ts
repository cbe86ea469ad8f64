import { LINK_PREFIX, LINK_PREFIX6, type Link } from "./address-plan.ts";

/**
 * Scripts for `ip -batch` (ip(8)). Neighbours are entered by hand at both ends, and neither asks for them: there is no ARP
 * and no neighbour discovery that could be forged. gVisor takes over the address, the routes and the neighbour.
 */
export interface LinkScripts {
  /** Makes the namespace and the link, and its host's end ready. */
  readonly make: string;
  /** Makes the guest's end ready, also once more; run in its namespace. */
  readonly enter: string;
  /** Removes the namespace, and with it the link, soon after the last process in there has ended. */
  readonly remove: string;
}

/** The scripts of one link. Pure. */
export function linkScripts({
  netns,
  interface: name,
  host,
  guest,
  ipv6,
  hostMac,
  guestMac,
}: Link): LinkScripts {
  const make = [
    `netns add ${netns}`,
    `link add ${name} address ${hostMac} arp off type veth peer name eth0 address ${guestMac} netns ${netns}`,
    `link set ${name} addrgenmode none`,
    `addr add ${host}/${LINK_PREFIX} dev ${name}`,
    ...(ipv6 ? [`addr add ${ipv6.host}/${LINK_PREFIX6} dev ${name} nodad`] : []),
    `link set ${name} up`,
    `neigh add ${guest} lladdr ${guestMac} dev ${name} nud permanent`,
    ...(ipv6 ? [`neigh add ${ipv6.guest} lladdr ${guestMac} dev ${name} nud permanent`] : []),
  ];
  const enter = [
    "link set lo up",
    "link set eth0 addrgenmode none",
    `addr replace ${guest}/${LINK_PREFIX} dev eth0`,
    ...(ipv6 ? [`addr replace ${ipv6.guest}/${LINK_PREFIX6} dev eth0 nodad`] : []),
    "link set eth0 up",
    `neigh replace ${host} lladdr ${hostMac} dev eth0 nud permanent`,
    ...(ipv6 ? [`neigh replace ${ipv6.host} lladdr ${hostMac} dev eth0 nud permanent`] : []),
    `route replace default via ${host} dev eth0`,
    ...(ipv6 ? [`route replace default via ${ipv6.host} dev eth0`] : []),
  ];
  const text = (lines: string[]): string => `${lines.join("\n")}\n`;
  return { make: text(make), enter: text(enter), remove: text([`netns del ${netns}`]) };
}
