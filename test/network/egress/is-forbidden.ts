import ipaddr from "ipaddr.js";

/** Stands for the table of special ranges: all that is not public unicast. */
export function isForbidden(address: string): boolean {
  return ipaddr.parse(address).range() !== "unicast";
}
