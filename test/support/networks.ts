import { basename } from "node:path";
import type { NetworkPolicy, RunNetwork } from "../../src/network/types.ts";

/** All of the public internet, names looked up by the gateway. */
export const PUBLIC: NetworkPolicy = {
  all_public: true,
  public_addresses: [],
  private_addresses: [],
  denied: [],
  private_permitted: [],
  dns: "gateway",
  bandwidth_kbps: null,
};
/** Nothing at all. */
export const CLOSED: NetworkPolicy = { ...PUBLIC, all_public: false };

/** The name of a run's namespace. */
export function netnsOf({ netns_path }: RunNetwork): string {
  return basename(netns_path);
}
