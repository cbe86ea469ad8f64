import ipaddr from "ipaddr.js";

/** A packet as far as it is known: what is not said of it may be anything. */
export interface Packet {
  readonly version: 4 | 6;
  readonly iifname: string;
  /** Any of these; none where it is for the host itself. */
  readonly oifnames: readonly string[];
  /** The networks that the addresses are of. */
  readonly saddr?: string;
  readonly daddr?: string;
  readonly state: "new" | "established";
  /** Of UDP; said of what is for an address of the host itself. */
  readonly dport?: number;
}

/** Whether a rule's condition holds; undefined where that cannot be told. */
export type Test = (packet: Packet) => boolean | undefined;

/** What becomes of a packet that a rule's conditions hold for. */
export type Verdict =
  | { readonly kind: "accept" }
  | { readonly kind: "drop" }
  | { readonly kind: "return" }
  | { readonly kind: "none" }
  | { readonly kind: "jump" | "goto"; readonly target: string };

export interface Rule {
  readonly tests: readonly Test[];
  readonly verdict: Verdict;
  /** Whether it names an interface or a network of ours: it was made for us then. */
  readonly isOurs: boolean;
}

/** A chain that packets begin at. */
export interface BaseChain {
  readonly family: "ip" | "ip6" | "inet";
  readonly table: string;
  readonly name: string;
  readonly hook: "forward" | "input";
  readonly policy: "accept" | "drop";
  /** `iptables-legacy` keeps its rules apart from nftables. */
  readonly isLegacy: boolean;
  /** The rules of each chain of its table. */
  readonly chains: ReadonlyMap<string, readonly Rule[]>;
}

/** A loop cannot be loaded; rules that were written meanwhile could look like one. */
const MAX_DEPTH = 32;

/**
 * Whether a chain lets packets pass, as far as can be told. What cannot be told of is taken not to be for these packets,
 * save where a rule that was made for us accepts them. Pure.
 */
export function lets(chain: BaseChain, packet: Packet): boolean {
  if (chain.family !== "inet" && chain.family !== (packet.version === 4 ? "ip" : "ip6")) return true;
  return (walk(chain, chain.name, packet, 0) ?? chain.policy) === "accept";
}

function walk(base: BaseChain, name: string, packet: Packet, depth: number): "accept" | "drop" | null {
  if (depth > MAX_DEPTH) return null;
  for (const { tests, verdict, isOurs } of base.chains.get(name) ?? []) {
    const unknown = isOurs && verdict.kind === "accept";
    if (!tests.every((test) => test(packet) ?? unknown)) continue;
    if (verdict.kind === "accept" || verdict.kind === "drop") return verdict.kind;
    if (verdict.kind === "return") return null;
    if (verdict.kind === "none") continue;
    const met = walk(base, verdict.target, packet, depth + 1);
    if (met !== null || verdict.kind === "goto") return met;
  }
  return null;
}

/** Whether a packet's interface is one that a rule names; `*` at the end stands for anything. */
export function isInterface(names: string | readonly string[], wanted: string): boolean {
  const begins = wanted.endsWith("*") ? wanted.slice(0, -1) : null;
  return [names].flat().some((name) => (begins === null ? name === wanted : name.startsWith(begins)));
}

/** Whether a network lies in another one, or is it. Undefined: the packet's network is not known. */
export function isWithin(network: string | undefined, wanted: string): boolean | undefined {
  if (network === undefined) return undefined;
  const [address, prefix] = ipaddr.parseCIDR(network);
  const [outer, outerPrefix] = wanted.includes("/")
    ? ipaddr.parseCIDR(wanted)
    : ([ipaddr.parse(wanted), wanted.includes(":") ? 128 : 32] as const);
  if (address.kind() !== outer.kind()) return false;
  return outerPrefix <= prefix && address.match(outer, outerPrefix);
}
