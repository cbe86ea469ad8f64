import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";

/** All names and addresses of one run's link. */
export interface Link {
  readonly netns: string;
  /** The host's end; IFNAMSIZ leaves it 15 characters. */
  readonly interface: string;
  readonly host: string;
  readonly guest: string;
  /** Null: no IPv6. */
  readonly ipv6: { readonly host: string; readonly guest: string } | null;
  readonly hostMac: string;
  readonly guestMac: string;
}

/** What a server calls its own on the host. */
export interface NetworkNames {
  /** Begins the name of each of its network namespaces. */
  readonly netnsPrefix: string;
  /** Begins the name of each of its interfaces. */
  readonly interfacePrefix: string;
  readonly table: string;
}

/** Where the links of one server lie, and how they are called. */
export interface AddressPlan extends NetworkNames {
  readonly network: string;
  readonly network6: string | null;
  /** How many links there is room for: slots 0 to this less one. */
  readonly slots: number;
  link(slot: number): Link;
}

/** Five digits are what an interface's name has left for the slot. */
const MAX_SLOTS = 65_536;
/** RFC 3021 would do with /31, but gVisor and old tools expect a network and a broadcast address. */
export const LINK_PREFIX = 30;
export const LINK_PREFIX6 = 126;

/** The tag of a server, by its home: eight hexadecimal digits that tell it from others on the host. */
export function tagOf(home: string): string {
  return createHash("sha256").update(home).digest("hex").slice(0, 8);
}

/** The names of a server, by its tag. Pure. */
export function namesOf(tag: string): NetworkNames {
  return { netnsPrefix: `boxer-${tag}-`, interfacePrefix: `bx${tag}`, table: `boxer_${tag}` };
}

/**
 * Plans the links of a server. Pure.
 * @param tag see {@link tagOf}
 * @param network an IPv4 network, /30 or larger; each link takes a /30 of it
 * @param ipv6 whether links have IPv6 addresses: unique local ones (RFC 4193) whose global ID is the server's tag
 */
export function planAddresses(tag: string, network: string, ipv6: boolean): AddressPlan {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(network);
  const base = toNumber(ipaddr.IPv4.networkAddressFromCIDR(network));
  const slots = Math.min(2 ** (LINK_PREFIX - prefix), MAX_SLOTS);
  if (prefix > LINK_PREFIX) throw new RangeError(`${address}/${prefix} has no room for a link`);
  const global = `fdb0:${tag.slice(0, 4)}:${tag.slice(4)}`;
  const names = namesOf(tag);
  return {
    ...names,
    network: `${toText(base)}/${prefix}`,
    network6: ipv6 ? `${global}::/48` : null,
    slots,
    link(slot) {
      const host = base + slot * 4 + 1;
      const group = slot.toString(16);
      return {
        netns: `${names.netnsPrefix}${slot}`,
        interface: `${names.interfacePrefix}${slot}`,
        host: toText(host),
        guest: toText(host + 1),
        ipv6: ipv6
          ? { host: canonical(`${global}:${group}::1`), guest: canonical(`${global}:${group}::2`) }
          : null,
        hostMac: macOf("06", host),
        guestMac: macOf("02", host + 1),
      };
    },
  };
}

function toNumber(address: ipaddr.IPv4): number {
  return address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

const bytesOf = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const toText = (value: number): string => bytesOf(value).join(".");

/** As tools write it (RFC 5952): addresses are compared as text. */
const canonical = (address: string): string => ipaddr.IPv6.parse(address).toRFC5952String();

/** A locally administered address (IEEE 802) that follows from the IPv4 one. */
function macOf(first: "02" | "06", address: number): string {
  return [first, "00", ...bytesOf(address).map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
