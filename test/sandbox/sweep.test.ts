import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { killStraySandboxes, removeStrayCgroups } from "../../src/sandbox/sweep.ts";
import { platform } from "../support/platform.ts";
import { isAlive, killAfter } from "../support/processes.ts";
import { PLAIN_ENV, textOf } from "../support/run-to-end.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** A lasting process with the arguments given; `tail` takes any as names of files to follow. */
function start(t: TestContext, ...args: string[]) {
  const child = platform.spawn(["tail", "-f", "--", "/dev/null", ...args], { env: PLAIN_ENV });
  killAfter(t, child.pid);
  const ended = Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]).then(
    ([, , status]) => status,
  );
  return { pid: child.pid, ended, kill: () => child.kill("SIGKILL") };
}

test("sandboxes that an earlier server left are killed, even stopped ones, and counted", async (t) => {
  const runs = await tempDirectory(t);
  const strays = [1, 2, 3].map((n) => start(t, `--root=${runs}/boxer-${n}/s`));
  process.kill(strays[0]?.pid ?? 0, "SIGSTOP");
  const ended = Promise.all(strays.map((stray) => stray.ended));
  assert.equal(await killStraySandboxes(runs), 3);
  for (const stray of strays) assert.equal(await isAlive(stray.pid), false);
  await ended;
  assert.equal(await killStraySandboxes(runs), 0);
});

test("sandboxes that an earlier server left are told from the sandboxes of other homes and from other processes", async (t) => {
  const runs = await tempDirectory(t);
  const others = [
    start(t, `--root=${runs}-other/boxer-1/s`),
    start(t, `--root=/elsewhere${runs}/boxer-1/s`),
    start(t, `--root=${runs}`),
    start(t, `${runs}/boxer-1/s`),
    start(t, `x--root=${runs}/boxer-1/s`),
  ];
  const stray = start(t, `--root=${runs}/boxer-1/s`);
  const ended = Promise.all([...others, stray].map((each) => each.ended));
  assert.equal(await killStraySandboxes(runs), 1);
  assert.equal(await isAlive(stray.pid), false);
  for (const other of others) assert.equal(await isAlive(other.pid), true);
  for (const other of others) other.kill();
  await ended;
});

test("where nothing was left, nothing is killed", async (t) => {
  assert.equal(await killStraySandboxes(await tempDirectory(t)), 0);
});

/** A stand-in for a mounted cgroup hierarchy; rmdir(2) removes a directory without children there and here alike. */
async function mount(t: TestContext, ...groups: string[]) {
  const root = await tempDirectory(t);
  for (const group of groups) await mkdir(join(root, group), { recursive: true });
  return root;
}

test("cgroups that an earlier server left are removed below each controller and below the root, by name", async (t) => {
  const groups = [
    "memory/boxer/boxer-1",
    "cpu,cpuacct/boxer/boxer-1",
    "boxer/boxer-1",
    "unified/boxer/boxer-2",
  ];
  const root = await mount(
    t,
    ...groups,
    "memory/boxer/boxer-other",
    "memory/boxer-1",
    "memory/docker/boxer-1",
  );
  await removeStrayCgroups(["boxer-1", "boxer-2", "boxer-gone"], root);
  for (const group of groups) assert.equal(existsSync(join(root, group)), false, group);
  for (const kept of ["memory/boxer/boxer-other", "memory/boxer-1", "memory/docker/boxer-1"]) {
    assert.equal(existsSync(join(root, kept)), true, kept);
  }
});

test("a cgroup in use stays, and does not keep the others", async (t) => {
  const root = await mount(t, "memory/boxer/boxer-1/child", "pids/boxer/boxer-1");
  await writeFile(join(root, "cgroup.procs"), "");
  await removeStrayCgroups(["boxer-1"], root);
  assert.equal(existsSync(join(root, "memory/boxer/boxer-1/child")), true);
  assert.equal(existsSync(join(root, "pids/boxer/boxer-1")), false);
});

test("a machine without cgroups has none to remove", async (t) => {
  await removeStrayCgroups(["boxer-1"], join(await tempDirectory(t), "nosuch"));
});
