import { isIP } from "node:net";

/** An address to bind. */
export interface ListenAddress {
  /** Undefined means every address of the machine. */
  hostname: string | undefined;
  /** 0 picks a free port. */
  port: number;
}

/**
 * Parses `:8080`, `127.0.0.1:8080`, `[::1]:8080` or `name:8080`.
 * @returns null when the text is none of these.
 */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) return null;
  const [, ipv6, host] = match;
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return null;
  return { hostname: ipv6 ?? (host || undefined), port };
}

/** The text that {@link parseListenAddress} reads. */
export function formatListenAddress({ hostname = "", port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: ListenAddress): boolean {
  const { hostname } = address;
  if (hostname === undefined) return false;
  // A name may begin with 127. and resolve to anything.
  return (
    hostname === "localhost" || hostname === "::1" || (isIP(hostname) === 4 && hostname.startsWith("127."))
  );
}

/** Whether the `Host` of a request (RFC 9110, 7.2) names this machine, with or without a port. */
export function namesLoopback(host: string): boolean {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(host) ?? [];
  return isLoopback({ hostname: (bracketed ?? plain ?? "").toLowerCase(), port: 0 });
}
