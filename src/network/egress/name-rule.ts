import { domainToASCII } from "node:url";
import { isHostname } from "./hostname.ts";

/** One name, or all names below one. */
export interface NameRule {
  /** In A-labels, lower case, without trailing dot; of a wildcard what is behind `*.`. */
  readonly name: string;
  /** Whether the rule is for the names below `name`, at any depth, and not for `name` itself. */
  readonly wildcard: boolean;
  /** Null: every port. */
  readonly port: number | null;
}

const PLAUSIBLE = /^[A-Za-z0-9._\-\u{80}-\u{10ffff}]+$/u;

/** What a URL would read as an IPv4 address, and no top-level domain is (RFC 3696, 2). */
const NUMERIC_END = /(^|\.)(\d+|0x[0-9a-f]*)$/;

/**
 * Reads `api.example.com` or `*.example.org`, in Unicode or A-labels, of any case, with or without trailing dot.
 * @throws Error saying why the text is no name that DNS can be asked for
 */
export function parseName(text: string): Omit<NameRule, "port"> {
  const wildcard = text.startsWith("*.");
  const stated = wildcard ? text.slice(2) : text;
  if (stated.includes("*")) throw new Error("* may only stand for all that is before a name: *.example.org");
  // Checked before the conversion too: one runtime unescapes and cuts as in a URL.
  const name = PLAUSIBLE.test(stated) ? domainToASCII(stated).replace(/\.$/, "") : "";
  if (!isHostname(name)) throw new Error("it is neither a host name nor an address");
  if (NUMERIC_END.test(name)) throw new Error("it is not an address in its usual form");
  if (/(^|\.)localhost$/.test(name)) throw new Error("localhost is always the sandbox itself");
  if (!wildcard && !name.includes(".")) throw new Error("a name needs at least two labels");
  return { name, wildcard };
}

/** Whether the rule is for a name, which is in lower-case A-labels without trailing dot. */
export function matchesName(rule: NameRule, name: string): boolean {
  return rule.wildcard ? name.endsWith(`.${rule.name}`) : name === rule.name;
}

/** Whether there are names and ports that both rules are for. */
export function namesOverlap(a: NameRule, b: NameRule): boolean {
  if (a.port !== null && b.port !== null && a.port !== b.port) return false;
  if (a.wildcard === b.wildcard && a.name === b.name) return true;
  return (a.wildcard && matchesName(a, b.name)) || (b.wildcard && matchesName(b, a.name));
}
