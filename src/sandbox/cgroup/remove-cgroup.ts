import { rmdir as rmdirOf, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../../core/errors.ts";
import { signalAll } from "../process-tree.ts";
import { readWords } from "./cgroup-files.ts";

/** rmdir(2), for tests to stand in for: on a plain directory it does not behave as on a cgroup. */
export type Rmdir = (path: string) => Promise<void>;

/** How long killed processes may take to leave. */
const ATTEMPTS = 200;
const PAUSE_MS = 10;
/** What a cgroup says that has processes in it, or cgroups below. */
const BUSY = ["EBUSY", "ENOTEMPTY"];

/**
 * Kills every process in a cgroup and removes it; one that is gone is no fault. rmdir(2) first: most are empty.
 * @throws Error when it stays busy for two seconds; what rmdir(2) gives otherwise
 */
export async function removeCgroup(cgroup: string, rmdir: Rmdir = rmdirOf): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await tryRmdir(cgroup, rmdir)) return;
    await killCgroup(cgroup);
    await sleep(PAUSE_MS);
  }
  throw new Error(`Cannot remove the cgroup ${cgroup}: it stays busy`);
}

/** Removes a cgroup that is empty; leaves any other as it is. */
export async function removeIfEmpty(cgroup: string, rmdir: Rmdir = rmdirOf): Promise<void> {
  await rmdir(cgroup).catch(() => {});
}

/** Whether it is gone now. */
async function tryRmdir(cgroup: string, rmdir: Rmdir): Promise<boolean> {
  try {
    await rmdir(cgroup);
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (errno === "ENOENT") return true;
    if (BUSY.includes(errno)) return false;
    throw error;
  }
}

/** All at once where the kernel can do that (cgroup.kill, Linux 5.14); else one by one. */
async function killCgroup(cgroup: string): Promise<void> {
  try {
    await writeFile(join(cgroup, "cgroup.kill"), "1", { flag: "r+" });
  } catch {
    const pids = (await readWords(join(cgroup, "cgroup.procs"))).map(Number);
    // 0 stands for a process of another pid namespace, and to kill(2) for ourselves.
    signalAll(
      pids.filter((pid) => pid > 1 && pid !== process.pid),
      "SIGKILL",
    );
  }
}
