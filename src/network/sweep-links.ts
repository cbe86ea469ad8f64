import { setTimeout as sleep } from "node:timers/promises";
import type { NetworkNames } from "./address-plan.ts";
import type { NetworkHost } from "./host-tools.ts";
import type { SweptNetworks } from "./types.ts";

/** Namespaces and interfaces by name. */
export interface Leftovers {
  readonly namespaces: readonly string[];
  readonly interfaces: readonly string[];
}

const INTERFACES = "/proc/net/dev";
/** The kernel does not take as long unless somebody is in a namespace still. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 10;

/** Finds the namespaces and interfaces that bear a server's tag. @throws BoxerError `sandbox_failed` */
export async function findLinks(host: NetworkHost, ip: string, names: NetworkNames): Promise<Leftovers> {
  const [links, namespaces] = await Promise.all([
    host.run([ip, "-j", "link", "show", "type", "veth"]),
    host.run([ip, "-j", "netns", "list"]),
  ]);
  return {
    namespaces: namesIn(namespaces, "name", names.netnsPrefix),
    interfaces: namesIn(links, "ifname", names.interfacePrefix),
  };
}

/** Removes them all; namespaces go when the last process in them has ended. @throws BoxerError `sandbox_failed` */
export async function sweepLinks(host: NetworkHost, ip: string, names: NetworkNames): Promise<SweptNetworks> {
  const { namespaces, interfaces } = await findLinks(host, ip, names);
  if (namespaces.length > 0) {
    // Some may be on their way out already.
    await host.run([ip, "-force", "-batch", "-"], deletions("netns", namespaces)).catch(() => undefined);
    await haveGone(host, interfaces);
  }
  if (namespaces.length + interfaces.length > 0) {
    await removeLeft(host, ip, await findLinks(host, ip, names));
  }
  return { namespaces: namespaces.length, interfaces: interfaces.length };
}

/** Removes what has not gone by itself. @throws BoxerError `sandbox_failed` when that fails */
export async function removeLeft(
  host: NetworkHost,
  ip: string,
  { namespaces, interfaces }: Leftovers,
): Promise<void> {
  const script = deletions("link", interfaces) + deletions("netns", namespaces);
  if (script !== "") await host.run([ip, "-force", "-batch", "-"], script);
}

/**
 * Waits until interfaces have gone with the namespaces of their other ends: the kernel takes many at once down so, in the
 * time that `ip link del` takes for one.
 * @returns whether all have
 */
export async function haveGone(host: NetworkHost, interfaces: readonly string[]): Promise<boolean> {
  const end_ms = performance.now() + PATIENCE_MS;
  for (;;) {
    const there = new Set((await host.read(INTERFACES)).split("\n").map((line) => line.trim().split(":")[0]));
    if (!interfaces.some((name) => there.has(name))) return true;
    if (performance.now() >= end_ms) return false;
    await sleep(LOOK_MS);
  }
}

function deletions(what: "link" | "netns", names: readonly string[]): string {
  return names.map((name) => `${what} del ${name}\n`).join("");
}

/** A prefix is followed by the slot, nothing else. Without entries ip(8) may say nothing at all. */
function namesIn(json: string, key: string, prefix: string): string[] {
  const entries: unknown = json.trim() === "" ? [] : JSON.parse(json);
  if (!Array.isArray(entries)) return [];
  return entries
    .map((entry: Record<string, unknown>) => entry[key])
    .filter((name) => typeof name === "string")
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)));
}
