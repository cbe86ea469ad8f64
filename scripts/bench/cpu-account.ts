import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { machineCounters } from "./proc-counters.ts";

/** Tells how much processor time has been used, so that two looks tell what was used in between. */
export interface CpuAccount {
  /** Whose time it is. */
  readonly scope: "this benchmark" | "the whole machine";
  used_ms(): Promise<number>;
}

const ROOT = "/sys/fs/cgroup/cpuacct";

/**
 * Accounts for this process and all that it starts from now on, guests and orphans included, whatever else the machine
 * does: by a cgroup (v1 cpuacct) that it moves into. Where there is none, all of the machine's time is told.
 * @param cleanup takes the way back
 */
export async function openCpuAccount(cleanup: CleanupStack): Promise<CpuAccount> {
  const cgroup = join(ROOT, `boxer-bench-${process.pid}`);
  try {
    await access(join(ROOT, "cpuacct.usage"));
    await mkdir(cgroup);
    cleanup.defer("account", () => removeCgroups(cgroup));
    const own = ownCgroup(await readFile("/proc/self/cgroup", "utf8"));
    cleanup.defer("way back", () => writeFile(join(ROOT, own, "cgroup.procs"), `${process.pid}`));
    await writeFile(join(cgroup, "cgroup.procs"), `${process.pid}`);
    const used_ms = async (): Promise<number> =>
      Number(await readFile(join(cgroup, "cpuacct.usage"), "utf8")) / 1e6;
    return { scope: "this benchmark", used_ms };
  } catch {
    return { scope: "the whole machine", used_ms: async () => (await machineCounters()).busy_ms };
  }
}

/** Where a process is in the cpuacct hierarchy, of `/proc/pid/cgroup` (cgroups(7)). Pure. */
export function ownCgroup(memberships: string): string {
  return /^\d+:(?:[^:\n]+,)?cpuacct(?:,[^:\n]+)?:(.*)$/m.exec(memberships)?.[1] ?? "/";
}

/** Services leave the cgroups that they made for those of their runs; none holds a process any more. */
async function removeCgroups(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries.filter((each) => each.isDirectory()))
    await removeCgroups(join(path, entry.name));
  await rmdir(path);
}
