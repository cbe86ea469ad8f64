import ipaddr from "ipaddr.js";

/** A route of the main table. */
export interface Route {
  readonly interface: string;
  /** The network's address as a number. */
  readonly base: number;
  readonly prefix: number;
}

/** Wider ones stand for "everywhere": default routes, and their halves that tunnels set. */
const NARROWEST_DEFAULT = 7;

/** IPv4 routes, by /proc/net/route (proc_net(5)): little-endian hexadecimal. Lines that cannot be read are passed over. */
export function parseRoutes(text: string): Route[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => /^[0-9A-F]{8}$/i.test(fields[1] ?? "") && /^[0-9A-F]{8}$/i.test(fields[7] ?? ""))
    .map(([name = "", destination = "", , , , , , mask = ""]) => ({
      interface: name,
      base: swap(destination),
      prefix: swap(mask).toString(2).replaceAll("0", "").length,
    }));
}

function swap(hexadecimal: string): number {
  return Buffer.from(hexadecimal, "hex").readUInt32LE();
}

/** The interfaces by which IPv4 goes everywhere. */
export function uplinksOf(routes: readonly Route[]): string[] {
  const wide = routes.filter(({ prefix }) => prefix <= NARROWEST_DEFAULT);
  return [...new Set(wide.map((route) => route.interface))];
}

/** The interfaces by which IPv6 goes everywhere, by /proc/net/ipv6_route. */
export function uplinks6Of(text: string): string[] {
  const fields = text.split("\n").map((line) => line.trim().split(/\s+/));
  const wide = fields.filter(([, prefix = "ff"]) => Number.parseInt(prefix, 16) <= 3);
  return [...new Set(wide.map((line) => line[9] ?? ""))].filter((name) => name !== "" && name !== "lo");
}

/** The routes, default ones apart, that share addresses with a network such as `10.231.0.4/30`. */
export function routesInto(routes: readonly Route[], network: string): Route[] {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(network);
  const base = address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return routes.filter((route) => {
    const size = 2 ** (32 - Math.min(prefix, route.prefix));
    return route.prefix > NARROWEST_DEFAULT && Math.floor(base / size) === Math.floor(route.base / size);
  });
}
