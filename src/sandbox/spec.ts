import type { RunLimits } from "../config/config.ts";
import { besideInputs, type GuestNetwork } from "./guest-network.ts";

/** Numeric user of the guest. */
export interface GuestUser {
  uid: number;
  gid: number;
}

/** Nobody: what runs in the sandbox unless the operator and the request agree on another. */
export const NOBODY: GuestUser = { uid: 65534, gid: 65534 };

/** All that the OCI configuration of one run depends on. */
export interface SpecInput {
  args: readonly string[];
  env: readonly string[];
  /** Absolute path in the guest. */
  cwd: string;
  user: GuestUser;
  limits: RunLimits;
  /** The image: an EROFS file that all its runs share; or a directory that is the run's own, as runsc writes to it. */
  rootfs: string;
  rootfsType: "erofs" | "directory";
  /** An empty host directory, the formal root of an EROFS file; never written to, the image comes from `rootfs`. */
  emptyRoot: string;
  /** Host directory mounted writable at /output. */
  outputDirectory: string;
  /** Host files mounted read-only. Destinations are checked by `checkMountDestinations`. */
  inputs: readonly { source: string; destination: string }[];
  network: Pick<GuestNetwork, "mode" | "netns_path" | "files">;
  /** Mount an empty tmpfs at `cwd`, for images in which it does not exist. */
  makeCwd: boolean;
}

const MIB = 1 << 20;
/** Size of the guest's /tmp, by the wire contract. */
export const TMP_SIZE_BYTES = 64 * MIB;
const SHM_SIZE_BYTES = 64 * MIB;
/**
 * The sentry's oom_score_adj (proc(5)): where memory is short, in the run's cgroup or on the host, it goes before all else
 * of the run, and the rest ends with it. Without one of its stubs it could go on and wait.
 */
const SENTRY_OOM_SCORE_ADJ = 1000;

const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/firmware",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/**
 * The OCI runtime configuration (config.json, runtime-spec 1.0.2) of one run. Pure.
 *
 * The annotations make gVisor mount the image as root with a private memory overlay. With an EROFS file mount points are
 * made in the overlay, so `root.readonly` must be false, and the image itself cannot be written to.
 */
export function buildSpec(input: SpecInput): object {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: input.user,
      args: input.args,
      env: input.env,
      cwd: input.cwd,
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      rlimits: rlimits(input.limits),
      oomScoreAdj: SENTRY_OOM_SCORE_ADJ,
    },
    root: { path: input.rootfsType === "erofs" ? input.emptyRoot : input.rootfs, readonly: false },
    hostname: "boxer",
    mounts: mounts(input),
    annotations: {
      "dev.gvisor.spec.rootfs.source": input.rootfs,
      "dev.gvisor.spec.rootfs.type": input.rootfsType === "erofs" ? "erofs" : "bind",
      "dev.gvisor.spec.rootfs.overlay": "memory",
    },
    linux: {
      namespaces: [...["pid", "ipc", "uts", "mount"].map((type) => ({ type })), ...networkNamespace(input)],
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** One without a path is made by runsc; without any the sandbox has the host's. */
function networkNamespace({ network: { mode, netns_path } }: SpecInput): object[] {
  if (mode === "host") return [];
  return [{ type: "network", ...(netns_path !== null && { path: netns_path }) }];
}

/** setrlimit(2): enforced by the sentry on the guest. No core dumps: they would only fill the overlay. */
function rlimits(limits: RunLimits): object[] {
  const both = (type: string, value: number | null) =>
    value === null ? [] : [{ type, hard: value, soft: value }];
  return [
    ...both("RLIMIT_NOFILE", limits.nofile),
    ...both("RLIMIT_NPROC", limits.pids_limit),
    ...both("RLIMIT_CORE", 0),
  ];
}

function mounts(input: SpecInput): object[] {
  const tmpfs = (destination: string, ...options: string[]) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", ...options],
  });
  const { uid, gid } = input.user;
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "mode=755"] },
    tmpfs("/dev/shm", "noexec", "mode=1777", `size=${SHM_SIZE_BYTES}`),
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro", "nosuid", "noexec", "nodev"] },
    tmpfs("/tmp", "mode=1777", `size=${TMP_SIZE_BYTES}`),
    ...(input.makeCwd
      ? [tmpfs(input.cwd, "mode=755", `uid=${uid}`, `gid=${gid}`, `size=${TMP_SIZE_BYTES}`)]
      : []),
    {
      destination: "/output",
      type: "bind",
      source: input.outputDirectory,
      options: ["rw", "nosuid", "nodev"],
    },
    ...[...besideInputs(input.network.files, input.inputs), ...input.inputs].map(
      ({ source, destination }) => ({
        destination,
        type: "bind",
        source,
        options: ["ro", "nosuid", "nodev"],
      }),
    ),
  ];
}
