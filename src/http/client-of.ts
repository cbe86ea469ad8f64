import { isIPv6 } from "node:net";
import { printable } from "../image/printable.ts";
import { connectionOf } from "./connections.ts";

/** A name may be an attacker's, and is kept with each run. */
const MAX_NAME_LENGTH = 128;

/**
 * Whose request it is: what the header of the name `client_header` says, where the operator names one and the request
 * has it; else the address of the connection, for IPv6 its network.
 * @returns one line of at most 128 characters
 */
export function clientOf(request: Request, options: { client_header: string | undefined }): string {
  const stated = options.client_header && request.headers.get(options.client_header);
  const name = printable(stated || "", MAX_NAME_LENGTH);
  return name || networkOf(connectionOf(request)?.remoteAddress ?? "unknown");
}

/** Whoever has an IPv6 address has 2^64 of them (RFC 4291, 2.5.4): the network stands for them all. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [plain = ""] = address.split("%");
  // The parser of URLs knows every spelling, and gives IPv4-mapped addresses as ::ffff:xxxx:xxxx.
  const [head = "", tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split("::");
  const front = head.split(":").filter(Boolean);
  const back = (tail ?? "").split(":").filter(Boolean);
  const groups = [...front, ...Array(8 - front.length - back.length).fill("0"), ...back];
  const network = groups.slice(0, 4);
  // Loopback and IPv4-mapped addresses share a network with one another, and are no network's.
  return network.every((group) => group === "0") ? address : `${network.join(":")}::/64`;
}
