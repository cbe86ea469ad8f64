import {
  type BaseChain,
  isInterface,
  isWithin,
  type Packet,
  type Rule,
  type Test,
  type Verdict,
} from "./packet-filter.ts";

/** JSON as `nft -j` writes it (libnftables-json(5)); anything may be in it. */
type Json = { readonly [key: string]: Json } | readonly Json[] | string | number | boolean | null | undefined;

/** A chain of `nft -j list chains`, at a hook. */
export interface HookedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string;
  readonly policy: string;
}

/** The chains with a hook in an answer of `nft -j list chains`, or of a table. Pure. */
export function hookedChains(answer: string): HookedChain[] {
  return entries(answer, "chain")
    .map(({ family, table, name, hook, policy }) => ({
      family: String(family),
      table: String(table),
      name: String(name),
      hook: String(hook ?? ""),
      policy: String(policy),
    }))
    .filter(({ hook }) => hook !== "");
}

/**
 * The chains that packets begin at in an answer of `nft -j list table`. Pure.
 * @param ours begins the names of our interfaces
 */
export function parseNftables(answer: string, ours: string): BaseChain[] {
  const chains = new Map<string, Rule[]>();
  for (const { name } of entries(answer, "chain")) chains.set(String(name), []);
  for (const { chain, expr } of entries(answer, "rule")) chains.get(String(chain))?.push(ruleOf(expr, ours));
  return hookedChains(answer).flatMap(({ family, table, name, hook, policy }) =>
    (family === "ip" || family === "ip6" || family === "inet") && (hook === "forward" || hook === "input")
      ? [
          {
            family,
            table,
            name,
            hook,
            policy: policy === "drop" ? "drop" : "accept",
            isLegacy: false,
            chains,
          },
        ]
      : [],
  );
}

function entries(answer: string, kind: string): { readonly [key: string]: Json }[] {
  const all = field(JSON.parse(answer) as Json, "nftables");
  return (Array.isArray(all) ? all : []).map((entry) => field(entry, kind)).filter(isObject);
}

function ruleOf(expr: Json, ours: string): Rule {
  const statements = (Array.isArray(expr) ? expr : []).filter(isObject);
  const matches = statements.filter((one) => "match" in one || isXtMatch(one) || "limit" in one);
  return {
    tests: matches.map((one) => testOf(one)),
    verdict: statements.map(verdictOf).find(({ kind }) => kind !== "none") ?? { kind: "none" },
    isOurs: JSON.stringify(matches).includes(`"${ours}`),
  };
}

function verdictOf(statement: { readonly [key: string]: Json }): Verdict {
  for (const kind of ["accept", "drop", "return"] as const) if (kind in statement) return { kind };
  if ("reject" in statement || field(statement.xt, "name") === "REJECT") return { kind: "drop" };
  for (const kind of ["jump", "goto"] as const) {
    if (kind in statement) return { kind, target: String(field(statement[kind], "target")) };
  }
  return { kind: "none" };
}

/** Older ones do not tell what an extension of iptables is: null. */
function isXtMatch(statement: { readonly [key: string]: Json }): boolean {
  return "xt" in statement && field(statement.xt, "type") !== "target";
}

function testOf(statement: { readonly [key: string]: Json }): Test {
  const match = statement.match;
  if (!isObject(match)) {
    // What they compare with is not shown: as good as always ESTABLISHED and RELATED, and LOCAL.
    const name = String(field(statement.xt, "name"));
    if (name === "addrtype") return ({ dport }) => (dport === undefined ? undefined : true);
    const isTracking = name === "conntrack" || name === "state";
    return ({ state }) => (isTracking && state === "established" ? true : undefined);
  }
  const [holds, wanted] = [conditionOf(match.left), valuesOf(match.right)];
  return (packet) => {
    // What named sets hold is not asked for.
    const met = wanted.map((value) => (value.startsWith("@") ? undefined : holds(packet, value)));
    const any = met.includes(true) ? true : met.includes(undefined) || met.length === 0 ? undefined : false;
    return match.op === "!=" && any !== undefined ? !any : any;
  };
}

/** How a packet compares with one value. */
function conditionOf(left: Json): (packet: Packet, value: string) => boolean | undefined {
  const of = (kind: string, key: string) => String(field(field(left, kind), key));
  switch (of("meta", "key")) {
    case "iifname":
      return ({ iifname }, value) => isInterface(iifname, value);
    case "oifname":
      return ({ oifnames }, value) => isInterface(oifnames, value);
    case "nfproto":
      return ({ version }, value) => value === `ipv${version}`;
    case "l4proto":
      return ({ dport }, value) => (dport === undefined ? undefined : value === "udp" || value === "17");
  }
  if (of("ct", "key") === "state") return ({ state }, value) => value === state;
  const [protocol, name] = [of("payload", "protocol"), of("payload", "field")];
  if (/^ip6?$/.test(protocol) && (name === "saddr" || name === "daddr")) {
    return (packet, value) => (/^[\da-f:./]+$/i.test(value) ? isWithin(packet[name], value) : undefined);
  }
  if (name === "dport" && protocol === "tcp") return ({ dport }) => (dport === undefined ? undefined : false);
  if (name === "dport")
    return ({ dport }, value) => (dport === undefined ? undefined : String(dport) === value);
  return () => undefined;
}

/** The values of a match, as text; none that can be told for what is neither one nor a list. */
function valuesOf(right: Json): string[] {
  if (typeof right === "string" || typeof right === "number") return [String(right)];
  if (Array.isArray(right)) return right.flatMap(valuesOf);
  const prefix = field(right, "prefix");
  if (isObject(prefix)) return [`${prefix.addr}/${prefix.len}`];
  return valuesOfSet(field(right, "set"));
}

const valuesOfSet = (set: Json): string[] => (set === undefined ? [] : valuesOf(set));

function field(value: Json, key: string): Json {
  return isObject(value) ? value[key] : undefined;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
