import {
  type BaseChain,
  isInterface,
  isWithin,
  type Packet,
  type Rule,
  type Test,
  type Verdict,
} from "./packet-filter.ts";

const HOOKS = { FORWARD: "forward", INPUT: "input" } as const;

/**
 * The chains that packets begin at in an answer of `iptables-legacy -S` (iptables(8)). Pure.
 * @param ours begins the names of our interfaces
 */
export function parseIptables(family: "ip" | "ip6", answer: string, ours: string): BaseChain[] {
  const chains = new Map<string, Rule[]>();
  const policies = new Map<string, string>();
  for (const line of answer.split("\n")) {
    // Quoted words are comments and the like.
    const [what, chain = "", ...words] = line
      .replace(/"(\\.|[^"\\])*"/g, '""')
      .trim()
      .split(/\s+/);
    if (what === "-P") policies.set(chain, words[0] ?? "");
    if (what === "-P" || what === "-N") chains.set(chain, []);
    if (what === "-A") chains.get(chain)?.push(ruleOf(words, ours));
  }
  return Object.entries(HOOKS).flatMap(([name, hook]) => {
    const policy = policies.get(name) === "DROP" ? "drop" : "accept";
    const known = { family, table: "filter", name, hook, policy, isLegacy: true, chains } as const;
    return policies.has(name) ? [known] : [];
  });
}

function ruleOf(words: readonly string[], ours: string): Rule {
  const tests: Test[] = [];
  let verdict: Verdict = { kind: "none" };
  for (let index = 0; index < words.length; ) {
    const isNot = words[index] === "!";
    if (isNot) index += 1;
    const option = words[index] ?? "";
    const end = words.findIndex((word, at) => at > index && (word === "!" || /^--?[a-z]/i.test(word)));
    const values = words.slice(index + 1, end === -1 ? words.length : end);
    index = end === -1 ? words.length : end;
    if (option === "-j" || option === "-g") {
      verdict = verdictOf(option, values[0] ?? "");
      // What follows are options of the target.
      break;
    }
    if (option === "-m") continue;
    const test = testOf(option, values[0] ?? "");
    tests.push(isNot ? (packet) => negated(test(packet)) : test);
  }
  return { tests, verdict, isOurs: words.some((word) => word.startsWith(ours)) };
}

const negated = (met: boolean | undefined): boolean | undefined => (met === undefined ? undefined : !met);

function verdictOf(option: "-j" | "-g", target: string): Verdict {
  if (target === "ACCEPT") return { kind: "accept" };
  if (target === "DROP" || target === "REJECT") return { kind: "drop" };
  if (target === "RETURN") return { kind: "return" };
  // Other targets are chains, or have none of that name.
  return { kind: option === "-g" ? "goto" : "jump", target };
}

function testOf(option: string, value: string): Test {
  const name = value.replace(/\+$/, "*");
  const known = (port: number | undefined, met: boolean) => (port === undefined ? undefined : met);
  const tests: Record<string, (packet: Packet) => boolean | undefined> = {
    "-i": ({ iifname }) => isInterface(iifname, name),
    "-o": ({ oifnames }) => isInterface(oifnames, name),
    "-s": ({ saddr }) => isWithin(saddr, value),
    "-d": ({ daddr }) => isWithin(daddr, value),
    "-p": ({ dport }) => known(dport, value === "udp"),
    "--dport": ({ dport }) => known(dport, value === String(dport)),
    "--dst-type": ({ dport }) => known(dport, value.split(",").includes("LOCAL")),
    "--ctstate": ({ state }) => value.split(",").includes(state.toUpperCase()),
    "--state": ({ state }) => value.split(",").includes(state.toUpperCase()),
  };
  return tests[option] ?? (() => undefined);
}
