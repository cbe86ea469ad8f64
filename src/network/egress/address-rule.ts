import ipaddr from "ipaddr.js";

/** The addresses of one network, or a single address. */
export interface AddressRule {
  readonly family: 4 | 6;
  /** Always with its prefix: `203.0.113.0/24`, `2001:db8::1/128`. */
  readonly cidr: string;
  /** Bits. */
  readonly prefix: number;
  readonly network: ipaddr.IPv4 | ipaddr.IPv6;
  /** Null: every port. */
  readonly port: number | null;
}

/**
 * Reads `203.0.113.7`, `203.0.113.0/24`, `2001:db8::1`, `2001:db8::/32`.
 * @throws Error saying why the text is no network
 */
export function parseAddress(text: string): Omit<AddressRule, "port"> {
  const [, literal = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseLiteral(literal);
  const family = address.kind() === "ipv4" ? 4 : 6;
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (prefix > most) throw new Error(`the prefix of an IPv${family} network is at most ${most}`);
  const network = networkOf(address, prefix);
  if (network.toString() !== address.toString()) {
    throw new Error(`bits are set beyond the prefix; the network is ${network}/${prefix}`);
  }
  return { family, cidr: `${network}/${prefix}`, prefix, network };
}

/** The parser also takes octal, hexadecimal and shortened addresses, which others read differently. */
function parseLiteral(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text) || text.includes("%")) {
    throw new Error("it is neither a host name nor an address");
  }
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) throw new Error("an IPv4 address is written as such");
  return address;
}

function networkOf(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): ipaddr.IPv4 | ipaddr.IPv6 {
  return address.kind() === "ipv4"
    ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`)
    : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${prefix}`);
}

/** The last address of the rule's network, as text. */
export function lastAddress({ family, cidr }: AddressRule): string {
  return family === 4
    ? ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString()
    : ipaddr.IPv6.broadcastAddressFromCIDR(cidr).toString();
}

/** Whether the rule is for an address, whatever the port. `address` is one that is valid. */
export function matchesAddress({ network, prefix }: AddressRule, address: string): boolean {
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network.kind() && parsed.match(network, prefix);
}

/** The addresses and ports that both rules are for; undefined when there are none. */
export function commonAddresses(a: AddressRule, b: AddressRule): AddressRule | undefined {
  const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
  if (wide.family !== narrow.family || !narrow.network.match(wide.network, wide.prefix)) return undefined;
  if (a.port !== null && b.port !== null && a.port !== b.port) return undefined;
  return { ...narrow, port: a.port ?? b.port };
}
