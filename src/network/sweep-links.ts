import type { AddressPlan } from "./address-plan.ts";
import type { NetworkHost } from "./host-tools.ts";
import type { SweptNetworks } from "./types.ts";

/** What of a server's is on the host. */
export interface Leftovers {
  readonly namespaces: readonly string[];
  readonly interfaces: readonly string[];
}

/** Finds the namespaces and interfaces that bear a server's tag. @throws BoxerError `sandbox_failed` */
export async function findLinks(host: NetworkHost, ip: string, plan: AddressPlan): Promise<Leftovers> {
  const [links, namespaces] = await Promise.all([
    host.run([ip, "-j", "link", "show", "type", "veth"]),
    host.run([ip, "-j", "netns", "list"]),
  ]);
  return {
    namespaces: namesIn(namespaces, "name", plan.netnsPrefix),
    interfaces: namesIn(links, "ifname", plan.interfacePrefix),
  };
}

/** Removes them all; namespaces go when the last process in them has ended. @throws BoxerError `sandbox_failed` */
export async function sweepLinks(host: NetworkHost, ip: string, plan: AddressPlan): Promise<SweptNetworks> {
  const { namespaces, interfaces } = await findLinks(host, ip, plan);
  const script = [
    ...interfaces.map((name) => `link del ${name}`),
    ...namespaces.map((name) => `netns del ${name}`),
  ];
  if (script.length > 0) await host.run([ip, "-force", "-batch", "-"], `${script.join("\n")}\n`);
  return { namespaces: namespaces.length, interfaces: interfaces.length };
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
