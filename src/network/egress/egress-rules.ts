import { MAX_EGRESS_ENTRIES, MAX_EGRESS_ENTRY_LENGTH } from "../../config/egress-schema.ts";
import { BoxerError, messageOf } from "../../core/errors.ts";
import { type AddressRule, parseAddress } from "./address-rule.ts";
import { type NameRule, parseName } from "./name-rule.ts";

/** One entry of a list, and where it stood, such as `egress.allow[3]`. */
export type EgressEntry =
  | ({ readonly kind: "name"; readonly field: string; readonly text: string } & NameRule)
  | ({ readonly kind: "address"; readonly field: string; readonly text: string } & AddressRule);

/** What a request or the operator states, read. */
export interface EgressRules {
  /** Null: nothing is stated, all that is public is allowed. Empty: nothing is allowed. */
  readonly allow: readonly EgressEntry[] | null;
  readonly deny: readonly EgressEntry[];
}

/** What a request or the operator states. */
export interface StatedEgress {
  readonly allow?: readonly string[] | null | undefined;
  readonly deny?: readonly string[] | null | undefined;
}

/**
 * Reads both lists. Entries are names (`api.example.com`), all names below one at any depth but not that one
 * (`*.example.org`), addresses and networks (`203.0.113.0/24`, `2001:db8::1`), each with an optional port
 * (`api.example.com:443`, `203.0.113.0/24:443`, `[2001:db8::/32]:443`). No list of public suffixes is kept: `*.com` is
 * all of .com. A denied name has no port.
 * @param field how errors call the object, such as `egress`
 * @throws BoxerError `invalid_request` naming the entry
 */
export function parseEgressRules(stated: StatedEgress | null | undefined, field: string): EgressRules {
  const deny = parseEntries(stated?.deny ?? [], `${field}.deny`);
  const ported = deny.find((entry) => entry.kind === "name" && entry.port !== null);
  if (ported) throw fault(ported.text, ported.field, "a name is denied on all ports");
  return { allow: stated?.allow ? parseEntries(stated.allow, `${field}.allow`) : null, deny };
}

/**
 * Reads one list.
 * @throws BoxerError `invalid_request` naming the entry
 */
export function parseEntries(texts: readonly string[], field: string): EgressEntry[] {
  if (texts.length > MAX_EGRESS_ENTRIES) {
    throw new BoxerError("invalid_request", `${field} must have at most ${MAX_EGRESS_ENTRIES} entries`, {
      field,
    });
  }
  return texts.map((text, index) => parseEntry(text, `${field}[${index}]`));
}

function parseEntry(text: string, field: string): EgressEntry {
  if (text.length > MAX_EGRESS_ENTRY_LENGTH) {
    throw new BoxerError(
      "invalid_request",
      `${field} must have at most ${MAX_EGRESS_ENTRY_LENGTH} characters`,
      {
        field,
      },
    );
  }
  try {
    const { host, port, bracketed } = splitPort(text);
    const isAddress = bracketed || /[:/]/.test(host) || /^[\d.]+$/.test(host);
    return isAddress
      ? { kind: "address", field, text, ...parseAddress(host), port }
      : { kind: "name", field, text, ...parseName(host), port };
  } catch (error) {
    throw fault(text, field, messageOf(error));
  }
}

function splitPort(text: string): { host: string; port: number | null; bracketed: boolean } {
  if (text.includes("://")) throw new Error("it is a URL; a name or an address is wanted");
  const inBrackets = /^\[([^[\]]*:[^[\]]*)\](?::(.*))?$/s.exec(text);
  if (inBrackets) return { host: inBrackets[1] ?? "", port: parsePort(inBrackets[2]), bracketed: true };
  // An IPv6 address without brackets has no port.
  if (text.split(":").length > 2) return { host: text, port: null, bracketed: false };
  const [host = "", port] = text.split(":");
  return { host, port: parsePort(port), bracketed: false };
}

function parsePort(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new Error("a port is a number from 1 to 65535");
  return port;
}

function fault(text: string, field: string, why: string): BoxerError {
  return new BoxerError("invalid_request", `Cannot parse ${field} ${JSON.stringify(text)}: ${why}`, {
    field,
  });
}
