import ipaddr from "ipaddr.js";
import type { NetworkHost } from "./host-tools.ts";

/** A route of the main table. */
export interface Route {
  readonly interface: string;
  /** The network's address as a number. */
  readonly base: number;
  readonly prefix: number;
}

/** The interfaces by which the host goes everywhere. */
export interface Uplinks {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/**
 * Reads the uplinks as they are now. Tunnels may have theirs in a table of their own (ip-rule(8)), and a route may have
 * several ways, neither of which /proc/net/route tells.
 * @param ip path of ip(8)
 * @throws as readFile
 */
export async function readUplinks(host: NetworkHost, ip: string): Promise<Uplinks> {
  const [main, all, ipv6] = await Promise.all([
    host.read("/proc/net/route"),
    host.run([ip, "-4", "-j", "route", "show", "table", "all"]).catch(() => ""),
    host.read("/proc/net/ipv6_route").catch(() => ""),
  ]);
  const ipv4 = new Set([...uplinksOf(parseRoutes(main)), ...uplinksOfTables(all)]);
  return { ipv4: [...ipv4], ipv6: uplinks6Of(ipv6) };
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

/** The interfaces by which IPv4 goes everywhere, by an answer of `ip -j route`. Without routes ip(8) may say nothing. */
export function uplinksOfTables(answer: string): string[] {
  if (answer.trim() === "") return [];
  const routes = JSON.parse(answer) as {
    type?: string;
    dst?: string;
    dev?: string;
    nexthops?: { dev?: string }[];
  }[];
  const wide = routes.filter(({ type = "unicast", dst = "" }) => {
    const prefix = dst === "default" ? 0 : Number(dst.split("/")[1] ?? 32);
    return type === "unicast" && prefix <= NARROWEST_DEFAULT;
  });
  const names = wide.flatMap(({ dev, nexthops = [] }) => [dev, ...nexthops.map((hop) => hop.dev)]);
  return [...new Set(names)].filter((name): name is string => name !== undefined && name !== "lo");
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
