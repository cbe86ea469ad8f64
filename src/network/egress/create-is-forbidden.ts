import ipaddr from "ipaddr.js";
import { NEVER_RANGES, SPECIAL_RANGES } from "../special-ranges.ts";
import type { IsForbidden } from "./special-network.ts";

/**
 * Tells the addresses that are not the public internet, by the tables that the wall itself has.
 * @param own the network of the runs' own links, where that is known to be elsewhere
 */
export function createIsForbidden(own: string | undefined): IsForbidden {
  const ranges = [NEVER_RANGES, SPECIAL_RANGES].flatMap(({ ipv4, ipv6 }) => [...ipv4, ...ipv6]);
  const networks = [...ranges, ...(own === undefined ? [] : [own])].map((cidr) => ipaddr.parseCIDR(cidr));
  return (text) => {
    const address = ipaddr.parse(text);
    return networks.some(
      ([network, prefix]) => network.kind() === address.kind() && address.match(network, prefix),
    );
  };
}
