import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SLOWNESS } from "./slowness.ts";

const ATTEMPTS = 200 * SLOWNESS;
const PAUSE_MS = 50;

/** Waits until something is so, ten seconds at most on a usual machine. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await condition()) return;
    await sleep(PAUSE_MS);
  }
  assert.fail(`still not so after ${(ATTEMPTS * PAUSE_MS) / 1000} seconds`);
}

/** A living process of a sandbox. */
export interface SandboxProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** The living processes that belong to sandboxes below a home. */
export async function sandboxesOf(home: string): Promise<SandboxProcess[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const processes = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      commandLine: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
  return processes.filter(({ commandLine }) => commandLine.includes(`--root=${home}/`));
}

/** The cgroups that bear the names of runs, in whatever hierarchy and below whatever parent. */
export async function cgroupsOf(execIds: readonly string[]): Promise<string[]> {
  const entries = await readdir("/sys/fs/cgroup", { recursive: true }).catch(() => []);
  return entries.filter((path) => execIds.includes(basename(path)));
}

/** Asserts that runs left no process, directory, mount or cgroup; teardown may go on for a moment after an answer. */
export async function assertNothingLeft(home: string): Promise<void> {
  await until(async () => (await sandboxesOf(home)).length === 0);
  await until(async () => (await readdir(join(home, "runs"))).length === 0);
  assert.deepEqual(await readdir(join(home, "uploads")), []);
  assert.deepEqual(await readdir(join(home, "empty")), []);
  const mounts = await readFile("/proc/self/mounts", "utf8");
  assert.ok(!mounts.includes(`${home}/`), "a mount is left");
}
