import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError, errnoOf, messageOf } from "../../core/errors.ts";
import { hostFault } from "../../core/host-fault.ts";
import { settleAll } from "../../core/settle-all.ts";
import { applySettings, readNumber, readNumbers } from "./cgroup-files.ts";
import { enterArgv } from "./enter-argv.ts";
import type { Parent } from "./open-parent.ts";
import { type Rmdir, removeCgroup } from "./remove-cgroup.ts";
import type { CgroupCurrent, CgroupLimits, CgroupUsage, RunCgroup } from "./types.ts";

/**
 * Makes the cgroups of one run, with its limits set and no process in them.
 * @throws BoxerError `sandbox_failed` or `host_exhausted`; then nothing stays behind
 */
export async function makeRunCgroup(
  parents: readonly Parent[],
  id: string,
  limits: CgroupLimits,
  rmdir: Rmdir,
): Promise<RunCgroup> {
  const places = parents.map((parent) => ({ parent, path: join(parent.path, id) }));
  const remove = async () => {
    await Promise.all(places.map(({ path }) => removeCgroup(path, rmdir)));
  };
  try {
    await settleAll(
      places.map(async ({ parent: { controllers, cpuset, version }, path }) => {
        await mkdir(path);
        const all = cpuset === null ? controllers : [...controllers, cpuset];
        for (const controller of all) await applySettings(path, controller.settings(limits, version));
      }),
    );
  } catch (error) {
    await remove().catch(() => {});
    throw cgroupFault(error);
  }
  const paths = places.map(({ path }) => path);
  return {
    argv: (command, failureLog) =>
      paths.length === 0 ? [...command] : enterArgv(paths, command, failureLog),
    oomKilled: async () => (await Promise.all(paths.map(wasOomKilled))).includes(true),
    usage: () => usageOf(paths),
    current: () => currentOf(paths),
    widen: widener(places, limits),
    remove,
  };
}

/** The message of a system error shows paths of the host. ENOSPC and the like are here no word of a disk. */
function cgroupFault(error: unknown): BoxerError {
  const fault = hostFault(error);
  if (fault?.code === "host_exhausted") return fault;
  const why = errnoOf(error) ?? messageOf(error);
  return new BoxerError("sandbox_failed", `Cannot make the cgroup of the run: ${why}`, { cause: error });
}

/** Looks in every hierarchy: each tells in files of its own. */
async function wasOomKilled(cgroup: string): Promise<boolean> {
  const files = ["memory.events", "memory.oom_control"];
  const counts = await Promise.all(files.map((file) => readNumbers(join(cgroup, file))));
  return counts.some((count) => (count.get("oom_kill") ?? 0) + (count.get("oom_group_kill") ?? 0) > 0);
}

async function usageOf(cgroups: readonly string[]): Promise<CgroupUsage> {
  const [cpu, peak_memory_bytes, peak_pids] = await Promise.all([
    cpuOf(cgroups),
    firstNumber(cgroups, "memory.peak", "memory.max_usage_in_bytes"),
    firstNumber(cgroups, "pids.peak"),
  ]);
  return { cpu_user_ms: cpu.user_ms, cpu_system_ms: cpu.system_ms, peak_memory_bytes, peak_pids };
}

async function currentOf(cgroups: readonly string[]): Promise<CgroupCurrent> {
  const [{ user_ms, system_ms }, memory_bytes, pids] = await Promise.all([
    cpuOf(cgroups),
    firstNumber(cgroups, "memory.current", "memory.usage_in_bytes"),
    firstNumber(cgroups, "pids.current"),
  ]);
  return { cpu_ms: user_ms === null || system_ms === null ? null : user_ms + system_ms, memory_bytes, pids };
}

async function cpuOf(
  cgroups: readonly string[],
): Promise<{ user_ms: number | null; system_ms: number | null }> {
  // A controller's cpu.stat in v1 has other lines.
  const stats = await Promise.all(cgroups.map((cgroup) => readNumbers(join(cgroup, "cpu.stat"))));
  const stat = stats.find((each) => each.has("user_usec"));
  const [user_ns, system_ns] = stat
    ? [null, null]
    : await Promise.all([
        firstNumber(cgroups, "cpuacct.usage_user"),
        firstNumber(cgroups, "cpuacct.usage_sys"),
      ]);
  return {
    user_ms: milliseconds(stat?.get("user_usec"), user_ns),
    system_ms: milliseconds(stat?.get("system_usec"), system_ns),
  };
}

/** The first of some files that tells a number, looked for in every hierarchy. */
async function firstNumber(cgroups: readonly string[], ...files: string[]): Promise<number | null> {
  const paths = files.flatMap((file) => cgroups.map((cgroup) => join(cgroup, file)));
  return (await Promise.all(paths.map(readNumber))).find((value) => value !== null) ?? null;
}

function milliseconds(us: number | undefined, ns: number | null): number | null {
  if (us !== undefined) return Math.round(us / 1e3);
  return ns === null ? null : Math.round(ns / 1e6);
}

/** What lets a run have all CPUs, or null for one that has them already. */
function widener(
  places: readonly { parent: Parent; path: string }[],
  limits: CgroupLimits,
): (() => Promise<void>) | null {
  const place = places.find(({ parent }) => parent.cpuset !== null);
  const cpuset = place?.parent.cpuset;
  if (!place || !cpuset?.narrows(limits)) return null;
  return () => writeFile(join(place.path, "cpuset.cpus"), cpuset.all);
}
