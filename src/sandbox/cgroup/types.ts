import type { RunLimits } from "../../config/config.ts";

/**
 * How the host's cgroups are mounted (cgroups(7)): one unified hierarchy, one hierarchy a controller, those beside a
 * unified one without controllers, or nothing that can be used.
 */
export type CgroupMode = "v2" | "v1" | "hybrid" | "none";

/** Which limits the kernel holds a run to. */
export interface EnforcedLimits {
  readonly memory: boolean;
  readonly cpu: boolean;
  readonly pids: boolean;
}

/** The limits that cgroups enforce; null means none. */
export type CgroupLimits = Pick<RunLimits, "cpu_cores" | "memory_mb" | "pids_limit">;

/** What the processes of a run used, the sandbox itself included. Null where the host does not tell. */
export interface CgroupUsage {
  readonly cpu_user_ms: number | null;
  readonly cpu_system_ms: number | null;
  readonly peak_memory_bytes: number | null;
  readonly peak_pids: number | null;
}

/** What the processes of a run use now, the sandbox itself included. Null where the host does not tell. */
export interface CgroupCurrent {
  /** Processor time so far. */
  readonly cpu_ms: number | null;
  readonly memory_bytes: number | null;
  /** Tasks on the host: threads count. */
  readonly pids: number | null;
}

/** The cgroups of one run, one in each hierarchy. */
export interface RunCgroup {
  /**
   * The command line that runs a command inside these cgroups from its first instruction on. The pid stays the same.
   * @param failureLog is appended an entry in runsc's manner where they cannot be entered; the exit code is then 128
   */
  argv(command: readonly string[], failureLog: string): string[];
  /** Whether the kernel has killed a process of the run for want of memory. False once the cgroups are gone. */
  oomKilled(): Promise<boolean>;
  usage(): Promise<CgroupUsage>;
  current(): Promise<CgroupCurrent>;
  /**
   * Sets what is to hold from the sandbox's first instruction on: memory, processes, and how many CPUs it counts. What
   * is null stays as it is.
   * @throws BoxerError `sandbox_failed` or `host_exhausted`
   */
  bound(limits: CgroupLimits): Promise<void>;
  /**
   * Sets the share of the CPU and lets the run have all CPUs, to be called once its sandbox is there: gVisor's own start
   * is not the guest's, and a quota would stretch it; by then it has counted the CPUs, see `Cpuset`.
   * @throws as `bound`
   */
  throttle(limits: CgroupLimits): Promise<void>;
  /** Kills what is left in there and removes the cgroups. @throws Error when they stay busy */
  remove(): Promise<void>;
}

/** The cgroups of a service. */
export interface Cgroups {
  readonly mode: CgroupMode;
  readonly enforced: EnforcedLimits;
  /** Why the rest is not enforced, for people. */
  readonly unenforced: readonly string[];
  /**
   * Makes the cgroups of one run, without limits yet.
   * @param id names them, unique among those of the service
   * @throws BoxerError `sandbox_failed`; then nothing stays behind
   */
  create(id: string): Promise<RunCgroup>;
  /** Kills and removes whatever earlier servers of the same home left. @returns how many cgroups there were */
  sweep(): Promise<number>;
  /** Removes what the cgroups of runs are below, unless some are left. */
  close(): Promise<void>;
}
