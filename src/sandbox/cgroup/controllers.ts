import { SENTRY_OVERHEAD_MB } from "../../config/reserved-memory.ts";
import type { CgroupLimits } from "./types.ts";

/** The cgroup interface that a hierarchy speaks. */
export type CgroupVersion = 1 | 2;

/** One value to be written into a file of a cgroup. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /** A kernel built or booted otherwise may lack the file, and the limit holds without it. */
  readonly isOptional?: true;
}

/** Turns limits into settings. */
export interface Controller {
  readonly name: string;
  settings(limits: CgroupLimits, version: CgroupVersion): Setting[];
}

const MIB = 1 << 20;
/** Period of CFS bandwidth control, which each new cgroup has from the kernel. */
const CPU_PERIOD_US = 100_000;
/** The least that the kernel takes. */
const MIN_CPU_QUOTA_US = 1_000;
/** Host tasks beside the guest's: threads of the sentry, and systrap stubs. Hitting the limit kills the sentry. */
const SENTRY_PIDS = 2048;
/** Host tasks that one task of the guest may take. */
const STUBS_PER_TASK = 4;

/**
 * Memory and swap together. An idle sandbox takes 16 to 22 MB (python: some 10 MB of its own in that), and each further
 * process of the guest about 0.8 MB; `SENTRY_OVERHEAD_MB` on top of the run's limit covers that for 50 processes. So a
 * guest may always use its `memory_mb`, and with few processes some 40 MB more. Page cache counts, but is reclaimed
 * first; what is written to /output counts where that is a tmpfs.
 */
export const memory: Controller = {
  name: "memory",
  settings({ memory_mb }, version) {
    if (memory_mb === null) return [];
    const value = String((memory_mb + SENTRY_OVERHEAD_MB) * MIB);
    if (version === 2) {
      return [
        { file: "memory.max", value },
        { file: "memory.swap.max", value: "0", isOptional: true },
        { file: "memory.oom.group", value: "1", isOptional: true },
      ];
    }
    return [
      { file: "memory.limit_in_bytes", value },
      { file: "memory.memsw.limit_in_bytes", value, isOptional: true },
      { file: "memory.swappiness", value: "0", isOptional: true },
    ];
  },
};

/** CPU time in each period. */
export const cpu: Controller = {
  name: "cpu",
  settings({ cpu_cores }, version) {
    if (cpu_cores === null) return [];
    const quota = Math.max(MIN_CPU_QUOTA_US, Math.round(cpu_cores * CPU_PERIOD_US));
    if (version === 2) return [{ file: "cpu.max", value: `${quota} ${CPU_PERIOD_US}` }];
    return [{ file: "cpu.cfs_quota_us", value: String(quota) }];
  },
};

/** A backstop only: the guest's own processes are counted by RLIMIT_NPROC in the sandbox. */
export const pids: Controller = {
  name: "pids",
  settings({ pids_limit }) {
    if (pids_limit === null) return [];
    return [{ file: "pids.max", value: String(SENTRY_PIDS + STUBS_PER_TASK * pids_limit) }];
  },
};

/** Only counts; the unified hierarchy does so by itself. */
export const cpuacct: Controller = { name: "cpuacct", settings: () => [] };
