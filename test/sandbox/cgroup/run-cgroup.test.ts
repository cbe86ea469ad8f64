import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cpu, memory, pids } from "../../../src/sandbox/cgroup/controllers.ts";
import { makeRunCgroup } from "../../../src/sandbox/cgroup/run-cgroup.ts";
import type { CgroupLimits } from "../../../src/sandbox/cgroup/types.ts";
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
const LIMITS = { cpu_cores: 0.5, memory_mb: 64, pids_limit: 10 };

/** A run in as many hierarchies as there are names, and a way to put files of the kernel's there. */
async function runIn(t: TestContext, ...names: string[]) {
  const root = await tempDirectory(t);
  const parents = [];
  for (const name of names) {
    await plant(join(root, name), { "cgroup.procs": "" });
    const narrows = ({ cpu_cores }: CgroupLimits) => cpu_cores !== null;
    const settings = (limits: CgroupLimits) => [
      { file: "cpuset.cpus", value: narrows(limits) ? "0" : "0,1" },
    ];
    const cpuset = { name: "cpuset", all: "0,1", settings, narrows };
    const version = name === "memory" ? (1 as const) : (2 as const);
    parents.push({
      version,
      path: join(root, name),
      controllers: [],
      cpuset: name === "cpuset" ? cpuset : null,
      files: FILES,
    });
  }
  const cgroup = await makeRunCgroup(parents, "run", cgroupRmdir);
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

/** Controllers as they are in one hierarchy, whose settings name them. */
function hierarchy(path: string, ...names: string[]) {
  const controllers = names.map((name) => ({ name, settings: () => [{ file: `${name}.max`, value: name }] }));
  return { version: 2 as const, path, controllers, cpuset: null, files: FILES };
}

test("what is to hold from the first instruction on is set before, the share of the CPU once the sandbox is there", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "memory/cgroup.procs": "", "cpu/cgroup.procs": "" });
  const parents = [
    hierarchy(join(root, "memory"), "memory", "pids"),
    hierarchy(join(root, "cpu"), "cpu", "cpuacct"),
  ];
  const set = async (id: string) =>
    (await Promise.all(["memory", "cpu"].map((name) => readdir(join(root, name, id))))).flat().sort();
  const bound = await makeRunCgroup(parents, "bound", cgroupRmdir);
  assert.deepEqual(await set("bound"), []);
  await bound.bound(LIMITS);
  assert.deepEqual(await set("bound"), ["cpuacct.max", "memory.max", "pids.max"]);
  const throttled = await makeRunCgroup(parents, "throttled", cgroupRmdir);
  await throttled.throttle(LIMITS);
  assert.deepEqual(await set("throttled"), ["cpu.max"]);
});

test("limits are what a run is bound and throttled to", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cgroup.procs": "" });
  const parent = {
    version: 2 as const,
    path: root,
    controllers: [memory, cpu, pids],
    cpuset: null,
    files: FILES,
  };
  const cgroup = await makeRunCgroup([parent], "run", cgroupRmdir);
  await cgroup.bound({ cpu_cores: null, memory_mb: null, pids_limit: null });
  assert.deepEqual(await readdir(join(root, "run")), []);
  await cgroup.bound(LIMITS);
  await cgroup.throttle(LIMITS);
  const read = (file: string) => readFile(join(root, "run", file), "utf8");
  const values = await Promise.all(["memory.max", "cpu.max", "pids.max"].map(read));
  assert.deepEqual(values, [String((64 + 64) << 20), "50000 100000", "2088"]);
});

test("a run starts on as many CPUs as it may use, and may have all of them later", async (t) => {
  const { cgroup, root } = await runIn(t, "memory", "cpuset");
  const cpus = () => readFile(join(root, "cpuset/run/cpuset.cpus"), "utf8");
  assert.equal(await cpus(), "0,1");
  await cgroup.bound(LIMITS);
  assert.equal(await cpus(), "0");
  await cgroup.throttle(LIMITS);
  assert.equal(await cpus(), "0,1");
  assert.equal(existsSync(join(root, "memory/run/cpuset.cpus")), false);
});

test("a run that may use all CPUs keeps those that it began with", async (t) => {
  const { cgroup, root } = await runIn(t, "cpuset");
  await rm(join(root, "cpuset/run/cpuset.cpus"));
  const limits = { ...LIMITS, cpu_cores: null };
  await cgroup.bound(limits);
  await cgroup.throttle(limits);
  assert.deepEqual(await readdir(join(root, "cpuset/run")), []);
});

test("a run without a cpuset has none to narrow or widen", async (t) => {
  const { cgroup, root } = await runIn(t, "memory");
  await cgroup.bound(LIMITS);
  await cgroup.throttle(LIMITS);
  assert.deepEqual(await readdir(join(root, "memory/run")), []);
});

test("a cgroup that cannot be made leaves none behind, in no hierarchy", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "memory/cgroup.procs": "", "unified/cgroup.procs": "" });
  const parents = ["memory", "missing/parent", "unified"].map((name) => hierarchy(join(root, name)));
  await assert.rejects(makeRunCgroup(parents, "run", cgroupRmdir), {
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
  const cpuset = { name: "cpuset", all: "0", settings: () => many, narrows: () => false };
  const parents = [hierarchy(join(root, "missing")), { ...hierarchy(join(root, "unified")), cpuset }];
  const counts: number[] = [];
  const rmdir = async (path: string) => {
    if (path.startsWith(parents[1]?.path ?? "")) counts.push((await readdir(path)).length);
    await cgroupRmdir(path);
  };
  await assert.rejects(makeRunCgroup(parents, "run", rmdir), { code: "sandbox_failed" });
  assert.deepEqual(counts, [many.length]);
});

for (const [what, controller] of [
  ["bound", "memory"],
  ["throttle", "cpu"],
] as const) {
  test(`a limit that ${what}() cannot set is a fault of ours, told when no other is being set any more`, async (t) => {
    const root = await tempDirectory(t);
    const many = Array.from({ length: 200 }, (_, index) => ({ file: `setting-${index}`, value: "1" }));
    await plant(root, { "bad/cgroup.procs": "", "good/cgroup.procs": "" });
    const missing = [{ file: "missing/file", value: "1" }];
    const parents = [
      { ...hierarchy(join(root, "bad")), controllers: [{ name: controller, settings: () => missing }] },
      { ...hierarchy(join(root, "good")), controllers: [{ name: controller, settings: () => many }] },
    ];
    const cgroup = await makeRunCgroup(parents, "run", cgroupRmdir);
    await assert.rejects(cgroup[what](LIMITS), {
      code: "sandbox_failed",
      message: "Cannot make the cgroup of the run: ENOENT",
    });
    assert.equal((await readdir(join(root, "good/run"))).length, many.length);
    await cgroup.remove();
    assert.deepEqual([existsSync(join(root, "bad/run")), existsSync(join(root, "good/run"))], [false, false]);
  });
}

test("a server without file descriptors is not told of as a fault of the sandbox", async (t) => {
  const root = await tempDirectory(t);
  await plant(root, { "cgroup.procs": "" });
  const settings = () => {
    throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  };
  const controllers = ["memory", "cpu"].map((name) => ({ name, settings }));
  const cgroup = await makeRunCgroup([{ ...hierarchy(root), controllers }], "run", cgroupRmdir);
  await assert.rejects(cgroup.bound(LIMITS), { code: "host_exhausted" });
  await assert.rejects(cgroup.throttle(LIMITS), { code: "host_exhausted" });
  const cpuset = { name: "cpuset", all: "0", settings, narrows: () => false };
  await assert.rejects(makeRunCgroup([{ ...hierarchy(root), cpuset }], "other", cgroupRmdir), {
    code: "host_exhausted",
  });
  assert.equal(existsSync(join(root, "other")), false);
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
  const cgroup = await makeRunCgroup([parent], "run", cgroupRmdir);
  await plant(join(root, "run"), { "cpu.stat": "user_usec 1000\nsystem_usec 2000", "memory.peak": "4096" });
  const usage = { cpu_user_ms: 1, cpu_system_ms: 2, peak_memory_bytes: null, peak_pids: null };
  assert.deepEqual(await cgroup.usage(), usage);
});
