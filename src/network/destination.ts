import ipaddr from "ipaddr.js";
import { BoxerError } from "../core/errors.ts";

/** A network as nft(8) is told of it: written by us, never what was read. */
export interface Network {
  readonly family: "ip" | "ip6";
  readonly text: string;
}

/**
 * Reads `93.184.216.0/24`, `2a00::/32` or one address.
 * @throws BoxerError `invalid_request`
 */
export function parseNetwork(cidr: string): Network {
  try {
    const text = cidr.includes("/") ? cidr : `${cidr}/${cidr.includes(":") ? 128 : 32}`;
    const [address, prefix] = ipaddr.parseCIDR(text);
    return address.kind() === "ipv4"
      ? { family: "ip", text: `${ipaddr.IPv4.networkAddressFromCIDR(text)}/${prefix}` }
      : { family: "ip6", text: `${ipaddr.IPv6.networkAddressFromCIDR(text).toNormalizedString()}/${prefix}` };
  } catch (cause) {
    throw new BoxerError("invalid_request", `Cannot read the network ${JSON.stringify(cidr)}`, { cause });
  }
}

/** Reads one address. @throws BoxerError `invalid_request` */
export function parseAddress(text: string): Network {
  if (!ipaddr.isValid(text) || text.includes("%")) {
    throw new BoxerError("invalid_request", `Cannot read the address ${JSON.stringify(text)}`);
  }
  const address = ipaddr.parse(text);
  return address.kind() === "ipv4"
    ? { family: "ip", text: address.toString() }
    : { family: "ip6", text: address.toNormalizedString() };
}

/** @throws BoxerError `invalid_request` unless it is a port */
export function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new BoxerError("invalid_request", `${port} is no port`);
}
