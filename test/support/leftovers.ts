import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SLOWNESS } from "./slowness.ts";
import { WARM_MODE, waitingOf } from "./warm-mode.ts";

const PATIENCE_MS = 50_000 * SLOWNESS;
const PAUSE_MS = 50;
const CGROUPS = "/sys/fs/cgroup";

/**
 * Waits until something is so: long enough for a machine that others keep busy, which only a real fault ever costs.
 * @param found what is told when it does not come to be so
 */
export async function until(
  condition: () => Promise<boolean> | boolean,
  found: () => object = () => ({}),
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      assert.fail(`still not so after ${PATIENCE_MS / 1000} seconds: ${JSON.stringify(found())}`);
    await sleep(PAUSE_MS);
  }
}

/** A living process of a sandbox. */
export interface SandboxProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** The living processes that belong to sandboxes of runs below a home. */
export async function sandboxesOf(home: string): Promise<SandboxProcess[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const processes = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      commandLine: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
  const isMine = ({ commandLine }: SandboxProcess) => commandLine.includes(`--root=${home}/`);
  return processes.filter((each) => isMine(each) && !isWaiting(home, each.commandLine));
}

/** The directories that runs below a home have. */
export async function runDirectoriesOf(home: string): Promise<string[]> {
  return (await readdir(join(home, "runs"))).filter((name) => !isWaiting(home, name));
}

/** Whether a text has to do with what waits for a run, and is no run's. */
function isWaiting(home: string, text: string): boolean {
  return waitingOf(home).some((name) => text.includes(name));
}

/** The cgroups that bear the names of runs, in whatever hierarchy and below whatever parent. */
export async function cgroupsOf(execIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const look = async (path: string): Promise<void> => {
    // Those of others go while one looks.
    const entries = await readdir(join(CGROUPS, path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((each) => each.isDirectory())) {
      const child = join(path, entry.name);
      if (execIds.includes(entry.name)) found.push(child);
      await look(child);
    }
  };
  await look("");
  return found;
}

/** Asserts that runs left no process, directory, mount or cgroup; teardown may go on for a moment after an answer. */
export async function assertNothingLeft(home: string): Promise<void> {
  await until(async () => (await sandboxesOf(home)).length === 0);
  await until(async () => (await runDirectoriesOf(home)).length === 0);
  assert.deepEqual(await readdir(join(home, "uploads")), []);
  assert.deepEqual(await readdir(join(home, "empty")), []);
  const mountsLeft = async () => {
    const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
    // The directory of the runs is the server's own, for as long as it is up.
    const ofRuns = ` ${home}/runs `;
    return mounts.filter(
      (mount) => mount.includes(`${home}/`) && !mount.includes(ofRuns) && !isWaiting(home, mount),
    );
  };
  // What is to wait may just be being made.
  if (WARM_MODE) await until(async () => (await mountsLeft()).length === 0);
  else assert.deepEqual(await mountsLeft(), []);
}
