import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeRunCgroup } from "../../../src/sandbox/cgroup/run-cgroup.ts";
import { cgroupRmdir, plant } from "../../support/fake-cgroups.ts";
import { type TestContext, tempDirectory } from "../../support/temp-directory.ts";

const NO_LIMITS = { cpu_cores: null, memory_mb: null, pids_limit: null };

/** A run in as many hierarchies as there are names, and a way to put files of the kernel's there. */
async function runIn(t: TestContext, ...names: string[]) {
  const root = await tempDirectory(t);
  const parents = [];
  for (const name of names) {
    await plant(join(root, name), { "cgroup.procs": "" });
    const cpuset = { name: "cpuset", all: "0,1", settings: () => [{ file: "cpuset.cpus", value: "0" }] };
    const version = name === "memory" ? (1 as const) : (2 as const);
    parents.push({
      version,
      path: join(root, name),
      controllers: [],
      cpuset: name === "cpuset" ? cpuset : null,
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
