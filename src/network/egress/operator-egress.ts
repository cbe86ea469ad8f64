import { BoxerError } from "../../core/errors.ts";
import type { AddressRule } from "./address-rule.ts";
import {
  type EgressEntry,
  type EgressRules,
  parseEgressRules,
  parseEntries,
  type StatedEgress,
} from "./egress-rules.ts";
import { type IsForbidden, isSpecialNetwork } from "./special-network.ts";

/** What the configuration permits to every run. */
export interface OperatorEgress extends EgressRules {
  /** Networks of special ranges (private, link-local, …) that runs may reach all the same. */
  readonly private_allow: readonly AddressRule[];
}

/** What the configuration states. */
export interface StatedOperatorEgress extends StatedEgress {
  readonly private_allow?: readonly string[] | undefined;
}

/**
 * Reads the configuration's `egress`. What is special stands in `private_allow` and only there, so that no wide network
 * in `allow` opens a private one by the way.
 * @throws BoxerError `invalid_request` naming the entry, such as `egress.private_allow[0]`
 */
export function parseOperatorEgress(stated: StatedOperatorEgress, isForbidden: IsForbidden): OperatorEgress {
  const rules = parseEgressRules(stated, "egress");
  for (const entry of rules.allow ?? []) {
    if (entry.kind === "address" && isSpecialNetwork(entry, isForbidden)) {
      throw misplaced(entry, "it is not public; egress.private_allow is the place of such networks");
    }
  }
  const private_allow = parseEntries(stated.private_allow ?? [], "egress.private_allow").map((entry) => {
    if (entry.kind === "name") throw misplaced(entry, "only addresses and networks may stand here");
    if (isSpecialNetwork(entry, isForbidden)) return entry;
    throw misplaced(entry, "it is public, in part at least; egress.allow is the place of such networks");
  });
  return { ...rules, private_allow };
}

function misplaced({ text, field }: EgressEntry, why: string): BoxerError {
  return new BoxerError("invalid_request", `Cannot use ${field} ${JSON.stringify(text)}: ${why}`, { field });
}
