import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError, errnoOf, messageOf } from "../../core/errors.ts";
import { hostFault } from "../../core/host-fault.ts";
import { settleAll } from "../../core/settle-all.ts";
import { applySettings, readNumber, readNumbers } from "./cgroup-files.ts";
import { cpu, type Setting } from "./controllers.ts";
import { enterArgv } from "./enter-argv.ts";
import type { Parent } from "./open-parent.ts";
import { type Rmdir, removeCgroup } from "./remove-cgroup.ts";
import type { CgroupCurrent, CgroupLimits, CgroupUsage, RunCgroup } from "./types.ts";

/** The cgroup of a run in one hierarchy. */
interface Place {
  readonly parent: Parent;
  readonly path: string;
}

const CPU = cpu.name;

/** What a cgroup has before a run is bound. */
const UNBOUND: CgroupLimits = { cpu_cores: null, memory_mb: null, pids_limit: null };

/**
 * Makes the cgroups of one run, with no limits set and no process in them.
 * @throws BoxerError `sandbox_failed` or `host_exhausted`; then nothing stays behind
 */
export async function makeRunCgroup(
  parents: readonly Parent[],
  id: string,
  rmdir: Rmdir,
): Promise<RunCgroup> {
  const places: Place[] = parents.map((parent) => ({ parent, path: join(parent.path, id) }));
  const remove = async () => {
    await Promise.all(places.map(({ path }) => removeCgroup(path, rmdir)));
  };
  try {
    await settleAll(
      places.map(async ({ parent: { cpuset, version }, path }) => {
        await mkdir(path);
        // A cgroup v1 takes no process before it has CPUs.
        if (cpuset) await applySettings(path, cpuset.settings(UNBOUND, version));
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
    bound: (limits) => bound(places, limits),
    throttle: (limits) => throttle(places, limits),
    oomKilled: () => wasOomKilled(places),
    usage: () => usageOf(places),
    current: () => currentOf(places),
    remove,
  };
}

async function bound(places: readonly Place[], limits: CgroupLimits): Promise<void> {
  await apply(places, ({ controllers, cpuset, version }) => {
    const narrowing = cpuset?.narrows(limits) ? [cpuset] : [];
    return [...controllers.filter(({ name }) => name !== CPU), ...narrowing].flatMap((controller) =>
      controller.settings(limits, version),
    );
  });
}

async function throttle(places: readonly Place[], limits: CgroupLimits): Promise<void> {
  await apply(places, ({ controllers, cpuset, version }) => {
    const widening = cpuset?.narrows(limits) ? [{ file: "cpuset.cpus", value: cpuset.all }] : [];
    const quota = controllers.filter(({ name }) => name === CPU);
    return [...quota.flatMap((controller) => controller.settings(limits, version)), ...widening];
  });
}

async function apply(places: readonly Place[], settingsOf: (parent: Parent) => Setting[]): Promise<void> {
  try {
    await settleAll(places.map(({ parent, path }) => applySettings(path, settingsOf(parent))));
  } catch (error) {
    throw cgroupFault(error);
  }
}

/** The message of a system error shows paths of the host. ENOSPC and the like are here no word of a disk. */
function cgroupFault(error: unknown): BoxerError {
  const fault = hostFault(error);
  if (fault?.code === "host_exhausted") return fault;
  const why = errnoOf(error) ?? messageOf(error);
  return new BoxerError("sandbox_failed", `Cannot make the cgroup of the run: ${why}`, { cause: error });
}

async function wasOomKilled(places: readonly Place[]): Promise<boolean> {
  const paths = pathsOf(places, "memory.events", "memory.oom_control");
  const counts = await Promise.all(paths.map(readNumbers));
  return counts.some((count) => (count.get("oom_kill") ?? 0) + (count.get("oom_group_kill") ?? 0) > 0);
}

async function usageOf(places: readonly Place[]): Promise<CgroupUsage> {
  const [cpu, peak_memory_bytes, peak_pids] = await Promise.all([
    cpuOf(places),
    firstNumber(places, "memory.peak", "memory.max_usage_in_bytes"),
    firstNumber(places, "pids.peak"),
  ]);
  return { cpu_user_ms: cpu.user_ms, cpu_system_ms: cpu.system_ms, peak_memory_bytes, peak_pids };
}

async function currentOf(places: readonly Place[]): Promise<CgroupCurrent> {
  const [{ user_ms, system_ms }, memory_bytes, pids] = await Promise.all([
    cpuOf(places),
    firstNumber(places, "memory.current", "memory.usage_in_bytes"),
    firstNumber(places, "pids.current"),
  ]);
  return { cpu_ms: user_ms === null || system_ms === null ? null : user_ms + system_ms, memory_bytes, pids };
}

async function cpuOf(
  places: readonly Place[],
): Promise<{ user_ms: number | null; system_ms: number | null }> {
  // A controller's cpu.stat in v1 has other lines.
  const stats = await Promise.all(pathsOf(places, "cpu.stat").map(readNumbers));
  const stat = stats.find((each) => each.has("user_usec"));
  const [user_ns, system_ns] = stat
    ? [null, null]
    : await Promise.all([
        firstNumber(places, "cpuacct.usage_user"),
        firstNumber(places, "cpuacct.usage_sys"),
      ]);
  return {
    user_ms: milliseconds(stat?.get("user_usec"), user_ns),
    system_ms: milliseconds(stat?.get("system_usec"), system_ns),
  };
}

/** The first of some files that tells a number. */
async function firstNumber(places: readonly Place[], ...files: string[]): Promise<number | null> {
  const numbers = await Promise.all(pathsOf(places, ...files).map(readNumber));
  return numbers.find((value) => value !== null) ?? null;
}

/** Where files are of which each hierarchy has its own. */
function pathsOf(places: readonly Place[], ...files: string[]): string[] {
  return files.flatMap((file) =>
    places.filter(({ parent }) => parent.files.has(file)).map(({ path }) => join(path, file)),
  );
}

function milliseconds(us: number | undefined, ns: number | null): number | null {
  if (us !== undefined) return Math.round(us / 1e3);
  return ns === null ? null : Math.round(ns / 1e6);
}
