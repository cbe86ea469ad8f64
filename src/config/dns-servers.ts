import { isIP } from "node:net";

/** What is wrong with the configured name servers, or null. They are asked by address: who would look up their names? */
export function complainOfDnsServers(servers: readonly string[]): string | null {
  const index = servers.findIndex((server) => isIP(server) === 0 || server.includes("%"));
  if (index === -1) return null;
  return `dns_servers[${index}] must be an IP address, not ${JSON.stringify(servers[index])}`;
}
