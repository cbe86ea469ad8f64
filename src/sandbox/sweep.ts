import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signalAll } from "./process-tree.ts";

const CGROUP_MOUNT = "/sys/fs/cgroup";
/** How long killed sandboxes may take to vanish. */
const VANISH_ATTEMPTS = 200;
const VANISH_PAUSE_MS = 25;

/**
 * Ends the sandboxes that an earlier server, killed with SIGKILL, left running.
 * @param runsDirectory every sandbox of ours carries it in its command line, as runsc's `--root`
 * @returns how many processes there were
 * @throws Error when some survive SIGKILL
 */
export async function killStraySandboxes(runsDirectory: string): Promise<number> {
  const strays = await findStrays(runsDirectory);
  for (let attempt = 0; attempt < VANISH_ATTEMPTS; attempt += 1) {
    const left = attempt === 0 ? strays : await findStrays(runsDirectory);
    if (left.length === 0) return strays.length;
    signalAll(left, "SIGKILL");
    await sleep(VANISH_PAUSE_MS);
  }
  throw new Error(`Sandboxes of an earlier server survive SIGKILL below ${runsDirectory}`);
}

/** Removes the cgroups of runs by the names of their directories; a cgroup that is gone is no fault. */
export async function removeStrayCgroups(
  execIds: readonly string[],
  cgroupMount = CGROUP_MOUNT,
): Promise<void> {
  const parents = await cgroupParents(cgroupMount);
  await Promise.all(execIds.flatMap((id) => parents.map((parent) => removeIfEmpty(join(parent, id)))));
}

/** Removes what all runs' cgroups were below, unless another server still has some there. */
export async function removeCgroupParents(cgroupMount = CGROUP_MOUNT): Promise<void> {
  await Promise.all((await cgroupParents(cgroupMount)).map(removeIfEmpty));
}

/** One in each hierarchy of cgroup v1, one at the root of v2. */
async function cgroupParents(cgroupMount: string): Promise<string[]> {
  const controllers = await readdir(cgroupMount).catch((): string[] => []);
  return ["", ...controllers].map((controller) => join(cgroupMount, controller, "boxer"));
}

async function removeIfEmpty(cgroup: string): Promise<void> {
  await rmdir(cgroup).catch(() => {});
}

async function findStrays(runsDirectory: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const prefix = `--root=${runsDirectory}/`;
  const mine = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return commandLine.split("\0").some((argument) => argument.startsWith(prefix));
    }),
  );
  return pids.filter((pid, index) => mine[index] && pid !== process.pid);
}
