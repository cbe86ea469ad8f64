import { join } from "node:path";
import { completeCapacity } from "./capacity.ts";
import type { ConfigFile } from "./config-schema.ts";
import { completeDashboard, type DashboardAccess } from "./dashboard-access.ts";
import type { ListenAddress } from "./listen-address.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { completeWarmPool, type WarmPoolConfig } from "./warm-pool-config.ts";

/** The limits of one run; null means no limit. */
export interface RunLimits {
  readonly cpu_cores: number | null;
  readonly memory_mb: number | null;
  readonly wall_clock_secs: number | null;
  readonly pids_limit: number | null;
  readonly nofile: number | null;
}

/** The configuration in force: every key is present. `ConfigSchema` describes each. */
export interface Config {
  readonly home: string;
  /** Undefined: to be looked up. */
  readonly runsc_path: string | undefined;
  /** Undefined: to be looked up. */
  /** Null: none is to be used. */
  readonly mkfs_erofs_path: string | null | undefined;
  readonly platform: "systrap" | "ptrace" | "kvm";
  readonly listen: ListenAddress;
  readonly ignore_cgroups: boolean;
  readonly unenforced_limits: "warn" | "refuse";
  readonly output_limit_bytes: number;
  readonly upload_limit_bytes: number;
  readonly request_limit_bytes: number;
  readonly output_files_limit_bytes: number;
  readonly output_files_limit_count: number;
  readonly allow_root_user: boolean;
  readonly run_records_max: number;
  readonly run_records_days: number;
  readonly dns_servers: readonly string[];
  /** Undefined: one that the host does not route. */
  readonly network_cidr: string | undefined;
  readonly enable_forwarding: boolean;
  readonly egress: NonNullable<ConfigFile["egress"]>;
  /** Null: no limit. */
  readonly max_bandwidth_kbps: number | null;
  readonly allow_host_network: boolean;
  readonly max_concurrent_runs: number;
  readonly max_queued_runs: number;
  readonly prepared_runs: number;
  readonly max_reserved_memory_mb: number;
  /** Undefined: clients are told apart by their addresses. */
  readonly client_header: string | undefined;
  readonly shutdown_grace_secs: number;
  readonly insecure_registries: readonly string[];
  readonly registry_mirrors: Readonly<Record<string, readonly string[]>>;
  readonly image_tag_ttl_secs: number;
  readonly pull_timeout_secs: number;
  readonly max_image_bytes: number;
  readonly max_image_entries: number;
  readonly image_archive_limit_bytes: number;
  /** Null: no daemon is asked. Undefined: to be looked up. */
  readonly docker_socket: string | null | undefined;
  /** Null: no limit. Undefined: a share of the disk. */
  readonly images_quota_bytes: number | null | undefined;
  /** Null: never. */
  readonly files_ttl_secs: number | null;
  /** Null: no limit. Undefined: a share of the disk. */
  readonly files_quota_bytes: number | null | undefined;
  readonly files_fsync: boolean;
  readonly image_allow: readonly string[];
  readonly image_deny: readonly string[];
  /** Undefined: the machine's own. */
  readonly image_platform: string | undefined;
  readonly images_prepull: readonly string[];
  readonly warm_pool: WarmPoolConfig;
  readonly dashboard: DashboardAccess;
  readonly defaults: RunLimits;
  /** Null means no maximum. */
  readonly max_limits: RunLimits;
}

const MIB = 1 << 20;
const BUILT_IN_LIMITS: RunLimits = {
  cpu_cores: 1,
  memory_mb: 256,
  wall_clock_secs: 30,
  pids_limit: 64,
  nofile: 256,
};

/**
 * Fills in what a configuration file leaves out. Pure.
 * @param listen the parsed `listen_addr`
 * @param userHome what `~` stands for
 * @param machine what the defaults of capacity are made from
 */
export function completeConfig(
  file: ConfigFile,
  listen: ListenAddress,
  userHome: string,
  machine: Machine = thisMachine(),
): Config {
  const expand = (path: string): string => path.replace(/^~(?=\/|$)/, () => userHome);
  const optionalPath = (path: string | undefined) => (path === undefined ? undefined : expand(path));
  return {
    home: expand(file.home ?? join(userHome, ".boxer")),
    runsc_path: optionalPath(file.runsc_path),
    mkfs_erofs_path: file.mkfs_erofs_path === null ? null : optionalPath(file.mkfs_erofs_path),
    platform: file.platform ?? "systrap",
    listen,
    ignore_cgroups: file.ignore_cgroups ?? false,
    unenforced_limits: file.unenforced_limits ?? "warn",
    output_limit_bytes: file.output_limit_bytes ?? 10 * MIB,
    upload_limit_bytes: file.upload_limit_bytes ?? 10 * MIB,
    request_limit_bytes: file.request_limit_bytes ?? 16 * MIB,
    output_files_limit_bytes: file.output_files_limit_bytes ?? 100 * MIB,
    output_files_limit_count: file.output_files_limit_count ?? 1000,
    allow_root_user: file.allow_root_user ?? false,
    run_records_max: file.run_records_max ?? 10_000,
    run_records_days: file.run_records_days ?? 7,
    dns_servers: file.dns_servers ?? ["8.8.8.8", "8.8.4.4"],
    network_cidr: file.network_cidr,
    enable_forwarding: file.enable_forwarding ?? false,
    egress: file.egress ?? {},
    max_bandwidth_kbps: file.max_bandwidth_kbps ?? null,
    allow_host_network: file.allow_host_network ?? false,
    max_queued_runs: file.max_queued_runs ?? 256,
    prepared_runs: file.prepared_runs ?? machine.cores + 1,
    client_header: file.client_header,
    shutdown_grace_secs: file.shutdown_grace_secs ?? 30,
    insecure_registries: file.insecure_registries ?? [],
    registry_mirrors: file.registry_mirrors ?? {},
    image_tag_ttl_secs: file.image_tag_ttl_secs ?? 300,
    pull_timeout_secs: file.pull_timeout_secs ?? 600,
    max_image_bytes: file.max_image_bytes ?? 16 * 1024 * MIB,
    max_image_entries: file.max_image_entries ?? 1_000_000,
    image_archive_limit_bytes: file.image_archive_limit_bytes ?? 16 * 1024 * MIB,
    docker_socket: file.docker_socket === "" ? null : file.docker_socket && expand(file.docker_socket),
    images_quota_bytes: file.images_quota_bytes,
    files_ttl_secs: file.files_ttl_secs === undefined ? 86_400 : file.files_ttl_secs,
    files_quota_bytes: file.files_quota_bytes,
    files_fsync: file.files_fsync ?? true,
    image_allow: file.image_allow ?? [],
    image_deny: file.image_deny ?? [],
    image_platform: file.image_platform,
    images_prepull: file.images_prepull ?? [],
    warm_pool: completeWarmPool(file.warm_pool, machine),
    dashboard: completeDashboard(file.dashboard),
    ...completeCapacity(file, resolveLimits(file.defaults, BUILT_IN_LIMITS, "unlimited"), machine),
  };
}

/** Limits as a request or a configuration file may state them. */
export type StatedLimits = { readonly [K in keyof RunLimits]?: number | null | undefined };

/**
 * Fills in limits that are not stated: absent and 0 always mean the fallback. Pure.
 * @param nullMeans a request's null is the default; a configuration's null is no limit at all
 */
export function resolveLimits(
  stated: StatedLimits | undefined,
  fallback: RunLimits,
  nullMeans: "default" | "unlimited",
): RunLimits {
  const pick = (key: keyof RunLimits): number | null => {
    const value = stated?.[key];
    if (value === null && nullMeans === "unlimited") return null;
    return value || fallback[key];
  };
  return {
    cpu_cores: pick("cpu_cores"),
    memory_mb: pick("memory_mb"),
    wall_clock_secs: pick("wall_clock_secs"),
    pids_limit: pick("pids_limit"),
    nofile: pick("nofile"),
  };
}
