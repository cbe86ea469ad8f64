import type { Config } from "../../config/config.ts";
import { isLoopback } from "../../config/listen-address.ts";
import { BoxerError } from "../../core/errors.ts";
import { createEgressPolicy, type EgressPolicy } from "../../network/egress/egress-policy.ts";
import { type EgressRules, parseEgressRules } from "../../network/egress/egress-rules.ts";
import type { OperatorEgress } from "../../network/egress/operator-egress.ts";
import type { IsForbidden } from "../../network/egress/special-network.ts";
import { networkUnavailable } from "../../network/network-unavailable.ts";
import type { NetworkPolicy, Networks } from "../../network/types.ts";
import type { RunRequest } from "../types.ts";

/** What bounds the networks of runs. */
export interface NetworkRules {
  readonly networks: Pick<Networks, "unavailable">;
  /** The configuration's `egress`, read. */
  readonly operator: OperatorEgress;
  readonly isForbidden: IsForbidden;
  readonly config: Pick<Config, "dns_servers" | "allow_host_network" | "max_bandwidth_kbps">;
}

/** The network that a request is to have. */
export type NetworkPlan =
  | { readonly mode: "none" | "host" }
  | {
      readonly mode: "sandbox";
      /** What the wall lets through. */
      readonly wall: NetworkPolicy;
      /** By what the DNS proxy answers; only where the wall says that there is one. */
      readonly names: EgressPolicy;
    };

/**
 * What becomes of a request's `network`, `egress` and `bandwidth_kbps`. Pure.
 * @throws BoxerError `invalid_request`, `network_not_allowed` or `network_unavailable`, naming the field
 */
export function planNetwork(rules: NetworkRules, request: RunRequest): NetworkPlan {
  const { network: mode, egress, bandwidth_kbps } = request;
  if (mode !== "sandbox") {
    for (const [field, value] of Object.entries({ egress, bandwidth_kbps })) {
      if (value === undefined) continue;
      throw new BoxerError("invalid_request", `${field} needs network "sandbox", not "${mode}"`, { field });
    }
    if (mode === "host" && !rules.config.allow_host_network) throw hostRefused();
    return { mode };
  }
  if (rules.networks.unavailable !== null) throw networkUnavailable(rules.networks.unavailable);
  const stated = egress && parseEgressRules(egress, "egress");
  const names = createEgressPolicy(rules.operator, stated, rules.isForbidden);
  const isProxied = needsProxy(
    names,
    [rules.operator, ...(stated ? [stated] : [])],
    rules.config.dns_servers,
  );
  const wall: NetworkPolicy = {
    all_public: names.all_public,
    public_addresses: names.public_addresses,
    private_addresses: names.private_addresses,
    denied: names.denied,
    private_permitted: names.private_permitted,
    dns: isProxied ? "gateway" : rules.config.dns_servers,
    bandwidth_kbps: bandwidthOf(bandwidth_kbps, rules.config.max_bandwidth_kbps),
  };
  return { mode, wall, names };
}

/** A program that may connect to all that is public may ask whom it likes; then only a denied name is worth a proxy. */
function needsProxy(
  { all_public }: EgressPolicy,
  layers: readonly EgressRules[],
  dns_servers: readonly string[],
): boolean {
  const deniesNames = layers.some(({ deny }) => deny.some(({ kind }) => kind === "name"));
  // A name server on the host's own loopback is beyond a run's reach, and not beyond the proxy's.
  const isBeyondReach = dns_servers.some((hostname) => isLoopback({ hostname, port: 0 }));
  return !all_public || deniesNames || isBeyondReach;
}

function bandwidthOf(stated: number | undefined, maximum: number | null): number | null {
  if (stated !== undefined && maximum !== null && stated > maximum) {
    const field = "bandwidth_kbps";
    throw new BoxerError("invalid_request", `${field} must be <= ${maximum} on this server`, { field });
  }
  return stated ?? maximum;
}

function hostRefused(): BoxerError {
  const why = "network host is not allowed by this server (allow_host_network)";
  return new BoxerError("network_not_allowed", why, { field: "network" });
}
