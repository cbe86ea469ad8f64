import type { Link } from "./address-plan.ts";
import { checkPort, parseAddress, parseNetwork } from "./destination.ts";
import type { AllowedAddress, Destination, NetworkPolicy } from "./types.ts";

/**
 * Connections of one run that the host's connection tracking may hold at a time. That table is the host's: a run that
 * fills it would shut the host off.
 */
const MAX_CONNECTIONS = 1024;
/** Packets a second to the DNS proxy: each costs the server's own event loop. */
const MAX_QUESTIONS = 500;
/** A million seconds; what lives longer is asked for again. */
const MAX_TTL_SECS = 1_000_000;
/** How many zones of connection tracking there are beside that of everybody, which is 0. */
export const ZONES = 65_535;
const FAMILIES = [
  { family: "ip", version: 4, type: "ipv4_addr" },
  { family: "ip6", version: 6, type: "ipv6_addr" },
] as const;

/** What one run adds to its server's table, in the language of `nft -f`. Pure: see `wall.ts` for the table. */
export class RunRules {
  readonly #table: string;
  readonly #link: Link;
  readonly #zone: number;
  readonly #policy: NetworkPolicy;

  /** @param zone of connection tracking, of this run alone as far as possible: 1 to {@link ZONES} */
  constructor(table: string, link: Link, zone: number, policy: NetworkPolicy) {
    this.#table = `inet ${table}`;
    this.#link = link;
    this.#zone = zone;
    this.#policy = policy;
  }

  /** Whether {@link allow} has anything to say. */
  get opensAddresses(): boolean {
    return !this.#policy.all_public || this.#policy.private_permitted.length > 0;
  }

  /** Lets the run out by its policy. @throws BoxerError `invalid_request` */
  add(): string {
    return [...this.#chains(), ...this.#elements().map((element) => `add element ${element}`), ""].join("\n");
  }

  /** Takes all of it away again. */
  remove(): string {
    const { interface: name } = this.#link;
    const chains = [
      "run",
      ...(this.opensAddresses ? ["names"] : []),
      ...(this.#policy.dns === "gateway" ? ["ask"] : []),
    ];
    const sets = this.opensAddresses
      ? FAMILIES.flatMap(({ version }) => [`any${version}`, `port${version}`])
      : [];
    return [
      ...this.#elements().map((element) => `delete element ${element.replace(/ : .*(?= \})/, "")}`),
      ...chains.map((chain) => `delete chain ${this.#table} ${chain}_${name}`),
      ...sets.map((set) => `delete set ${this.#table} ${set}_${name}`),
      "",
    ].join("\n");
  }

  /** Opens addresses for a while. Deleted in between, as adding alone does not renew the time of what is there. */
  allow(addresses: readonly AllowedAddress[]): string {
    const { interface: name } = this.#link;
    const lines = addresses.flatMap(({ address, ports, ttl_secs }) => {
      const { family, text } = parseAddress(address);
      const version = family === "ip" ? 4 : 6;
      const ttl = Math.min(Math.max(1, Math.ceil(ttl_secs)), MAX_TTL_SECS);
      const keys = ports === null ? [text] : ports.map((port) => `${text} . ${checkPort(port)}`);
      const set = `${this.#table} ${ports === null ? "any" : "port"}${version}_${name}`;
      return keys.flatMap((key) => [
        `add element ${set} { ${key} timeout ${ttl}s }`,
        `delete element ${set} { ${key} }`,
        `add element ${set} { ${key} timeout ${ttl}s }`,
      ]);
    });
    return [...lines, ""].join("\n");
  }

  #elements(): string[] {
    const { interface: name, guest, host, ipv6 } = this.#link;
    const link = `"${name}"`;
    const element = (set: string, key: string) => `${this.#table} ${set} { ${key} }`;
    return [
      element("zones", `${link} : ${this.#zone}`),
      element("flows", `${link} . ${this.#zone}`),
      element("guests4", `${link} . ${guest}`),
      element("allowed4", guest),
      ...(ipv6 ? [element("guests6", `${link} . ${ipv6.guest}`), element("allowed6", ipv6.guest)] : []),
      ...(this.#policy.dns === "gateway"
        ? [element("resolvers", `${link} . ${host} : goto ask_${name}`)]
        : []),
      ...["sent", "received", "refused"].map((set) => element(set, link)),
      element("egress", `${link} : goto run_${name}`),
    ];
  }

  #chains(): string[] {
    const { dns, denied, public_addresses, private_addresses, private_permitted, all_public } = this.#policy;
    const { interface: name } = this.#link;
    const names = `jump names_${name}`;
    const rules = [
      `ct count over ${MAX_CONNECTIONS} goto refuse`,
      ...(dns === "gateway" ? [] : dns.map((server) => rule({ cidr: server, port: 53 }, "accept"))),
      "jump never",
      ...denied.map((destination) => rule(destination, "goto refuse")),
      ...private_addresses.map((destination) => rule(destination, "accept")),
      ...private_permitted.map((destination) => rule(destination, names)),
      "jump special",
      ...(all_public
        ? ["accept"]
        : [...public_addresses.map((destination) => rule(destination, "accept")), names, "goto refuse"]),
    ];
    return [
      `table ${this.#table} {`,
      ...(this.opensAddresses ? this.#names() : []),
      ...(dns === "gateway"
        ? [
            `  chain ask_${name} { limit rate over ${MAX_QUESTIONS}/second burst ${MAX_QUESTIONS} packets drop; accept; }`,
          ]
        : []),
      `  chain run_${name} {`,
      ...rules.map((line) => `    ${line}`),
      "  }",
      "}",
    ];
  }

  /** The sets that {@link allow} fills, and the chain that looks into them. */
  #names(): string[] {
    const { interface: name } = this.#link;
    return [
      ...FAMILIES.flatMap(({ version, type }) => [
        `  set any${version}_${name} { type ${type}; flags timeout; }`,
        `  set port${version}_${name} { type ${type} . inet_service; flags timeout; }`,
      ]),
      `  chain names_${name} {`,
      ...FAMILIES.flatMap(({ family, version }) => [
        `    ${family} daddr @any${version}_${name} accept`,
        `    meta l4proto { tcp, udp } ${family} daddr . th dport @port${version}_${name} accept`,
      ]),
      "  }",
    ];
  }
}

function rule({ cidr, port }: Destination, verdict: string): string {
  const { family, text } = parseNetwork(cidr);
  const match = `${family} daddr ${text}`;
  return port === null
    ? `${match} ${verdict}`
    : `meta l4proto { tcp, udp } ${match} th dport ${checkPort(port)} ${verdict}`;
}
