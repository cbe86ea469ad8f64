import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeRunCgroup } from "../../../src/sandbox/cgroup/run-cgroup.ts";
import { cgroupRmdir, plant } from "../../support/fake-cgroups.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

/** All that any hierarchy tells by. */
const FILES: ReadonlySet<string> = new Set([
  "cpu.stat",
  "cpuacct.usage_sys",
  "cpuacct.usage_user",
  "memory.current",
  "memory.events",
  "memory.max_usage_in_bytes",
  "memory.oom_control",
  "memory.peak",
  "memory.usage_in_bytes",
  "pids.current",
  "pids.peak",
]);
const NO_LIMITS = { cpu_cores: null, memory_mb: null, pids_limit: null };

/** A run in as many hierarchies as there are names, and a way to put files of the kernel's there. */
async function runIn(t: TestContext, ...names: string[]) {
  const root = await tempDirectory(t);
  const parents = [];
  for (const name of names) {
    await plant(join(root, name), { "cgroup.procs": "" });
    const settings = () => [{ file: "cpuset.cpus", value: "0" }];
    const cpuset = { name: "cpuset", all: "0,1", settings, narrows: () => true };
    const version = name === "memory" ? (1 as const) : (2 as const);
    parents.push({
      version,
      path: join(root, name),
      controllers: [],
      cpuset: name === "cpuset" ? cpuset : null,
      files: FILES,
    });
  }
  const cgroup = await makeRunCgroup(parents, "run", NO_LIMITS, cgroupRmdir);
  return {
    cgroup,
    root,
    plant: (name: string, files: Record<string, string>) => plant(join(root, name, "run"), files),
  };
}

for (const [name, files, killed] of [
  ["v2 says nothing of", { "memory.events": "low 0\noom 0\noom_kill 0" }, false],
  ["v2 counts", { "memory.events": "low 0\noom 1\noom_kill 1\noom_group_kill 0" }, true],
  ["v2 counts as of the group", { "memory.events": "oom_kill 0\noom_group_kill 1" }, true],
  ["v1 says nothing of", { "memory.oom_control": "oom_kill_disable 0\nunder_oom 1\noom_kill 0" }, false],
  ["v1 counts", { "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2" }, true],
  ["a limit that was met without", { "memory.events": "max 12\noom 3\noom_kill 0" }, false],
] as const) {
  test(`a kill for want of memory that ${name}: ${killed}`, async (t) => {
    const { cgroup, plant } = await runIn(t, "memory", "unified");
    await plant("memory", files);
    assert.equal(await cgroup.oomKilled(), killed);
  });
}

test("v2 tells CPU time, peak memory and peak tasks", async (t) => {
  const { cgroup, plant } = await runIn(t, "v2");
  await plant("v2", {
    "cpu.stat": "usage_usec 3500000\nuser_usec 2000400\nsystem_usec 1500600",
    "memory.peak": "1048576",
    "pids.peak": "21",
  });
  const usage = { cpu_user_ms: 2000, cpu_system_ms: 1501, peak_memory_bytes: 1 << 20, peak_pids: 21 };
  assert.deepEqual(await cgroup.usage(), usage);
});

test("v2 and v1 tell what is used now", async (t) => {
  const v2 = await runIn(t, "v2");
  await v2.plant("v2", {
    "cpu.stat": "user_usec 2000400\nsystem_usec 1500600",
    "memory.current": "8192",
    "memory.peak": "1048576",
    "pids.current": "7",
    "pids.peak": "21",
  });
  assert.deepEqual(await v2.cgroup.current(), { cpu_ms: 3501, memory_bytes: 8192, pids: 7 });
  const v1 = await runIn(t, "memory", "cpuacct", "pids");
  await v1.plant("memory", { "memory.usage_in_bytes": "4096", "memory.max_usage_in_bytes": "9999" });
  await v1.plant("cpuacct", { "cpuacct.usage_user": "2000000000", "cpuacct.usage_sys": "1500000" });
  await v1.plant("pids", { "pids.current": "3" });
  assert.deepEqual(await v1.cgroup.current(), { cpu_ms: 2002, memory_bytes: 4096, pids: 3 });
  await v1.cgroup.remove();
  assert.deepEqual(await v1.cgroup.current(), { cpu_ms: null, memory_bytes: null, pids: null });
});

test("v1 tells the same in other files, and its cpu.stat is not taken for v2's", async (t) => {
  const { cgroup, plant } = await runIn(t, "memory", "cpu,cpuacct");
  await plant("memory", { "memory.max_usage_in_bytes": "4096" });
  await plant("cpu,cpuacct", {
    "cpu.stat": "nr_periods 1\nnr_throttled 0",
    "cpuacct.usage_user": "2000000000",
    "cpuacct.usage_sys": "1500000",
  });
  const usage = { cpu_user_ms: 2000, cpu_system_ms: 2, peak_memory_bytes: 4096, peak_pids: null };
  assert.deepEqual(await cgroup.usage(), usage);
});

test("what the host does not tell is null, and a cgroup that is gone tells nothing", async (t) => {
  const { cgroup, root } = await runIn(t, "v2");
  const nothing = { cpu_user_ms: null, cpu_system_ms: null, peak_memory_bytes: null, peak_pids: null };
  assert.deepEqual(await cgroup.usage(), nothing);
  await cgroup.remove();
  assert.equal(existsSync(join(root, "v2/run")), false);
  assert.deepEqual([await cgroup.usage(), await cgroup.oomKilled()], [nothing, false]);
  await cgroup.remove();
});

test("a run starts on as many CPUs as it may use, and may have all of them later", async (t) => {
  const { cgroup, root } = await runIn(t, "memory", "cpuset");
  const cpus = () => readFile(join(root, "cpuset/run/cpuset.cpus"), "utf8");
  assert.equal(await cpus(), "0");
  await cgroup.widen?.();
  assert.equal(await cpus(), "0,1");
});

test("a run without a cpuset has nothing to widen", async (t) => {
  assert.equal((await runIn(t, "memory")).cgroup.widen, null);
});

test("a cgroup that cannot be made leaves none behind, in no hierarchy", async (t) => {
  const root = await tempDirectory(t);
  const many = Array.from({ length: 200 }, (_, index) => ({ file: `setting-${index}`, value: "1" }));
  const parents = [];
  for (const [name, settings] of [
    ["memory", [{ file: "missing/file", value: "1" }]],
    ["unified", many],
  ] as const) {
    await plant(join(root, name), { "cgroup.procs": "" });
    const controllers = [{ name, settings: () => [...settings] }];
    parents.push({ version: 2 as const, path: join(root, name), controllers, cpuset: null, files: FILES });
  }
  await assert.rejects(makeRunCgroup(parents, "run", NO_LIMITS, cgroupRmdir), {
    code: "sandbox_failed",
    message: "Cannot make the cgroup of the run: ENOENT",
  });
  assert.deepEqual(await readdir(join(root, "memory")), ["cgroup.procs"]);
  assert.deepEqual(await readdir(join(root, "unified")), ["cgroup.procs"]);
});

test("a cgroup is removed only when nothing is being made there any more", async (t) => {
  const root = await tempDirectory(t);
  const many = Array.from({ length: 200 }, (_, index) => ({ file: `setting-${index}`, value: "1" }));
  await plant(join(root, "unified"), { "cgroup.procs": "" });
  const parent = { version: 2 as const, controllers: [], cpuset: null, files: FILES };
  const parents = [
    { ...parent, path: join(root, "missing") },
    { ...parent, path: join(root, "unified"), controllers: [{ name: "x", settings: () => many }] },
  ];
  const counts: number[] = [];
  const rmdir = async (path: string) => {
    if (path.startsWith(parents[1]?.path ?? "")) counts.push((await readdir(path)).length);
    await cgroupRmdir(path);
  };
  await assert.rejects(makeRunCgroup(parents, "run", NO_LIMITS, rmdir), { code: "sandbox_failed" });
  assert.deepEqual(counts, [many.length]);
});

test("a server without file descriptors is not told of as a fault of the sandbox", async (t) => {
  const root = await tempDirectory(t);
  const exhausted = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  const settings = () => {
    throw exhausted;
  };
  const parent = {
    version: 2 as const,
    path: root,
    controllers: [{ name: "x", settings }],
    cpuset: null,
    files: FILES,
  };
  await assert.rejects(makeRunCgroup([parent], "run", NO_LIMITS, cgroupRmdir), { code: "host_exhausted" });
});

test("no run looks for files that a hierarchy does not have", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cgroup.procs": "" });
  const parent = {
    version: 2 as const,
    path: root,
    controllers: [],
    cpuset: null,
    files: new Set(["cpu.stat"]),
  };
  const cgroup = await makeRunCgroup([parent], "run", NO_LIMITS, cgroupRmdir);
  await plant(join(root, "run"), { "cpu.stat": "user_usec 1000\nsystem_usec 2000", "memory.peak": "4096" });
  const usage = { cpu_user_ms: 1, cpu_system_ms: 2, peak_memory_bytes: null, peak_pids: null };
  assert.deepEqual(await cgroup.usage(), usage);
});
