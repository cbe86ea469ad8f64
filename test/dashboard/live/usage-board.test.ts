import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageBoard } from "../../../src/dashboard/live/usage-board.ts";
import type { Cgroups, CgroupUsage, RunCgroup } from "../../../src/sandbox/cgroup/types.ts";

const LIMITS = { cpu_cores: 1, memory_mb: 1, pids_limit: 1 };

function cgroupsOf(usage: () => CgroupUsage) {
  const seen = { removed: 0 };
  const cgroup = {
    usage: async () => usage(),
    remove: async () => {
      seen.removed += 1;
    },
  } as unknown as RunCgroup;
  const cgroups = {
    mode: "v2",
    enforced: {},
    unenforced: [],
    create: async () => cgroup,
  } as unknown as Cgroups;
  return { cgroups, seen };
}

test("CPU is what was used between two measurements, memory and processes are as told", async () => {
  let cpu_user_ms = 100;
  const { cgroups } = cgroupsOf(() => ({
    cpu_user_ms,
    cpu_system_ms: 0,
    peak_memory_bytes: 7,
    peak_pids: 3,
  }));
  const board = new UsageBoard();
  await board.watch(cgroups).create("boxer-1", LIMITS);
  assert.equal(board.usageOf("boxer-1"), null);
  await board.measure();
  assert.deepEqual(board.usageOf("boxer-1"), { cpu_cores: null, memory_bytes: 7, processes: 3 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  cpu_user_ms += 5;
  await board.measure();
  const cores = board.usageOf("boxer-1")?.cpu_cores ?? 0;
  assert.ok(cores > 0 && cores <= 0.26, `${cores}`);
});

test("a host that tells nothing shows nothing", async () => {
  const { cgroups } = cgroupsOf(() => ({
    cpu_user_ms: null,
    cpu_system_ms: null,
    peak_memory_bytes: null,
    peak_pids: null,
  }));
  const board = new UsageBoard();
  await board.watch(cgroups).create("boxer-1", LIMITS);
  await board.measure();
  await board.measure();
  assert.deepEqual(board.usageOf("boxer-1"), { cpu_cores: null, memory_bytes: null, processes: null });
});

test("a run is forgotten when its cgroup is removed, which it is", async () => {
  const { cgroups, seen } = cgroupsOf(() => ({
    cpu_user_ms: 0,
    cpu_system_ms: 0,
    peak_memory_bytes: 0,
    peak_pids: 0,
  }));
  const board = new UsageBoard();
  const cgroup = await board.watch(cgroups).create("boxer-1", LIMITS);
  await board.measure();
  await cgroup.remove();
  assert.deepEqual([board.usageOf("boxer-1"), seen.removed], [null, 1]);
});
