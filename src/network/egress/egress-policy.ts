import { BoxerError } from "../../core/errors.ts";
import type { Reach } from "../types.ts";
import { type AddressRule, commonAddresses, matchesAddress } from "./address-rule.ts";
import type { EgressEntry, EgressRules } from "./egress-rules.ts";
import { matchesName, type NameRule, namesOverlap } from "./name-rule.ts";
import type { OperatorEgress } from "./operator-egress.ts";
import { commonPorts, type Ports, unitePorts } from "./port-set.ts";
import { type IsForbidden, isSpecialNetwork } from "./special-network.ts";

/** What one run may look up and connect to. Immutable. */
export interface EgressPolicy extends Reach {
  /**
   * Whether a name may be looked up.
   * @param name lower-case A-labels without trailing dot
   */
  allowsName(name: string): boolean;
  /** Whether a name is allowed by a wildcard or by the lack of any list: then whoever asks makes it up. */
  isOpenEnded(name: string): boolean;
  /**
   * The ports on which a name that resolves to an address may be connected to there; undefined when it may not be: the
   * name is not allowed, the address is denied, or it is in a special range and not permitted.
   * @param address a valid IPv4 or IPv6 address
   */
  portsOf(name: string, address: string): Ports | undefined;
}

/**
 * What the operator permits and the request asks for: everything must be allowed by both and denied by neither.
 * @param request undefined: the request states nothing
 * @throws BoxerError `network_not_allowed` naming an entry of the request's `allow` that could never allow anything
 */
export function createEgressPolicy(
  operator: OperatorEgress,
  request: EgressRules | undefined,
  isForbidden: IsForbidden,
): EgressPolicy {
  for (const entry of request?.allow ?? []) requirePermitted(entry, operator, isForbidden);
  const layers = request ? [operator, request] : [operator];
  const names = layers.map(namesOf);
  const asked = request?.allow?.filter(isAddress) ?? null;
  const denied = layers.flatMap(({ deny }) => deny).filter(isAddress);
  const deniedEverywhere = denied.filter(({ port }) => port === null);
  const namePorts = (name: string): Ports | undefined =>
    names.map((rules) => portsByName(rules, name)).reduce(commonPorts);

  return {
    all_public: layers.every(({ allow }) => allow === null),
    public_addresses: listedAddresses(operator, request),
    private_addresses: asked === null ? operator.private_allow : common(asked, operator.private_allow),
    denied,
    private_permitted: operator.private_allow,
    allowsName: (name) => namePorts(name) !== undefined,
    isOpenEnded: (name) =>
      names.every(({ allow }) => !allow?.some((rule) => rule.name === name && !rule.wildcard)),
    portsOf(name, address) {
      if (deniedEverywhere.some((rule) => matchesAddress(rule, address))) return undefined;
      if (!isForbidden(address)) return namePorts(name);
      const permitted = operator.private_allow.filter((rule) => matchesAddress(rule, address));
      return commonPorts(namePorts(name), unitePorts(permitted));
    },
  };
}

function isName(entry: EgressEntry): entry is EgressEntry & { kind: "name" } {
  return entry.kind === "name";
}

function isAddress(entry: EgressEntry): entry is EgressEntry & { kind: "address" } {
  return entry.kind === "address";
}

/** What one layer says of names. */
interface NameLists {
  /** Null: all are allowed. */
  readonly allow: readonly NameRule[] | null;
  readonly deny: readonly NameRule[];
}

function namesOf({ allow, deny }: EgressRules): NameLists {
  return { allow: allow?.filter(isName) ?? null, deny: deny.filter(isName) };
}

function portsByName({ allow, deny }: NameLists, name: string): Ports | undefined {
  const fits = (rule: NameRule) => matchesName(rule, name);
  if (deny.some(fits)) return undefined;
  return allow === null ? null : unitePorts(allow.filter(fits));
}

function listedAddresses(operator: OperatorEgress, request: EgressRules | undefined): AddressRule[] {
  const lists = [operator.allow, request?.allow ?? null].filter((list) => list !== null);
  const [first = [], ...others] = lists.map((list): AddressRule[] => list.filter(isAddress));
  return others.reduce(common, first);
}

function common(some: readonly AddressRule[], others: readonly AddressRule[]): AddressRule[] {
  return some.flatMap((a) => others.map((b) => commonAddresses(a, b)).filter((rule) => rule !== undefined));
}

/** A rule that silently does nothing is worse than none. */
function requirePermitted(entry: EgressEntry, operator: OperatorEgress, isForbidden: IsForbidden): void {
  if (entry.kind === "name") {
    if (operator.allow === null || operator.allow.filter(isName).some((rule) => namesOverlap(rule, entry)))
      return;
    throw notPermitted(entry, "the names that this server allows do not include it");
  }
  if (common([entry], operator.private_allow).length > 0) return;
  if (isSpecialNetwork(entry, isForbidden)) throw notPermitted(entry, "it is not a public address");
  if (operator.allow === null || common([entry], operator.allow.filter(isAddress)).length > 0) return;
  throw notPermitted(entry, "the addresses that this server allows do not include it");
}

function notPermitted({ text, field }: EgressEntry, why: string): BoxerError {
  return new BoxerError("network_not_allowed", `Cannot allow ${field} ${JSON.stringify(text)}: ${why}`, {
    field,
  });
}
