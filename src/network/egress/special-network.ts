import { type AddressRule, lastAddress } from "./address-rule.ts";

/** Whether an address lies in a range that no run may reach unless the operator lists it: private, loopback, … */
export type IsForbidden = (address: string) => boolean;

/** Whether all of a network is special. Wide ones are not asked: both ends of 0.0.0.0/0 are, and the rest is not. */
export function isSpecialNetwork(rule: AddressRule, isForbidden: IsForbidden): boolean {
  const isNarrow = rule.prefix >= (rule.family === 4 ? 8 : 7);
  return isNarrow && isForbidden(rule.network.toString()) && isForbidden(lastAddress(rule));
}
