import type { CleanupStack } from "../core/cleanup-stack.ts";

/** The addresses of a network, and of these where it is given one port of TCP and UDP. */
export interface Destination {
  /** An IPv4 or IPv6 network such as `93.184.216.0/24`. */
  readonly cidr: string;
  /** Null: all that is spoken over IP. */
  readonly port: number | null;
}

/** What one run may connect to without a look-up, and where look-ups may lead. */
export interface Reach {
  /** Whether all public addresses are allowed. */
  readonly all_public: boolean;
  /**
   * Allowed, save for what is in them of special-purpose networks: 0.0.0.0/0 may stand here, and a wall has to refuse
   * those first. Empty with `all_public`.
   */
  readonly public_addresses: readonly Destination[];
  /** Allowed as well, and special-purpose. */
  readonly private_addresses: readonly Destination[];
  /** Refused, whatever is allowed. */
  readonly denied: readonly Destination[];
  /** The special-purpose networks in which {@link RunNetwork.allow} may open addresses. */
  readonly private_permitted: readonly Destination[];
}

/**
 * What one run may reach. Never the host, other runs, and link-local, loopback, multicast and metadata addresses,
 * whatever is said here.
 */
export interface NetworkPolicy extends Reach {
  /**
   * `gateway`: port 53 of the run's gateway, where its DNS proxy listens. Otherwise the addresses of name servers, which
   * may be private or link-local: their port 53 is let through, and nothing more of them.
   */
  readonly dns: "gateway" | readonly string[];
  /** Bits a second / 1000, each way. Null: no limit. */
  readonly bandwidth_kbps: number | null;
}

/** An address that a run may reach for a while. */
export interface AllowedAddress {
  readonly address: string;
  /** Of TCP and UDP. Null: all that is spoken over IP. */
  readonly ports: readonly number[] | null;
  readonly ttl_secs: number;
}

/** What a run did with its network. */
export interface NetworkUsage {
  /** Connections and exchanges (one remote address and port each) that were let out. Questions to the DNS proxy are none. */
  readonly allowed_connections: number;
  /** Attempts that the wall refused; of UDP and ICMP each packet is one. */
  readonly refused_connections: number;
  /** IP bytes that reached the run. */
  readonly bytes_in: number;
  /** IP bytes of the run that were let through. */
  readonly bytes_out: number;
}

/** The network namespace of one run, behind its wall. */
export interface RunNetwork {
  /** For the OCI configuration's network namespace. */
  readonly netns_path: string;
  /** The run's IPv4 address. */
  readonly address: string;
  /** The host's end of the run's link, IPv4: the only address of the host that the run may speak to, for DNS. */
  readonly gateway: string;
  /** The run's IPv6 address; null where there is no IPv6. */
  readonly address6: string | null;
  /** Name of the host's end. */
  readonly interface: string;
  /** @throws BoxerError `sandbox_failed` when the counters cannot be read */
  counters(): Promise<NetworkUsage>;
  /**
   * Gives the namespace its addresses and routes again: gVisor has taken them away, and would find none at its next start.
   * @throws BoxerError `sandbox_failed`
   */
  restore(): Promise<void>;
  /**
   * Lets the run reach addresses for a while, or for longer than before. Connections that it has made go on afterwards.
   * Special-purpose addresses stay refused, except where the policy permits them.
   * @throws BoxerError `invalid_request` for what is no address; `sandbox_failed`
   */
  allow(addresses: readonly AllowedAddress[]): Promise<void>;
}

/** What a sweep removed. */
export interface SweptNetworks {
  readonly namespaces: number;
  readonly interfaces: number;
}

/** Makes networks for runs. */
export interface Networks {
  /** Why there can be none on this host, or null. */
  readonly unavailable: string | null;
  /** What the operator should know, as of now: firewalls of others that are in the way. Never fails. */
  notes(): Promise<readonly string[]>;
  /**
   * Makes a namespace with a link to the host, and lets the run out by its policy.
   * @param cleanup told how to remove all of it again
   * @throws BoxerError `network_unavailable` when there is none here; `limit_unenforceable` when its bandwidth cannot be
   *   limited; `sandbox_failed` when the host refuses; `invalid_request` for a policy with an address that is none
   */
  create(policy: NetworkPolicy, cleanup: CleanupStack): Promise<RunNetwork>;
  /** Removes the table, and gives the host's forwarding back. Runs must have ended. */
  close(): Promise<void>;
}
