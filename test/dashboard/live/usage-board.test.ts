import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageBoard } from "../../../src/dashboard/live/usage-board.ts";
import type { CgroupCurrent, Cgroups, RunCgroup } from "../../../src/sandbox/cgroup/types.ts";

function cgroupsOf(current: () => CgroupCurrent) {
  const seen = { removed: 0 };
  const cgroup = {
    current: async () => current(),
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

test("CPU is what was used between two measurements, memory and tasks are as told", async () => {
  let cpu_ms = 100;
  const { cgroups } = cgroupsOf(() => ({ cpu_ms, memory_bytes: 7, pids: 3 }));
  const board = new UsageBoard();
  await board.watch(cgroups).create("boxer-1");
  assert.equal(board.usageOf("boxer-1"), null);
  await board.measure();
  assert.deepEqual(board.usageOf("boxer-1"), { cpu_cores: null, memory_bytes: 7, tasks: 3 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  cpu_ms += 5;
  await board.measure();
  const cores = board.usageOf("boxer-1")?.cpu_cores ?? 0;
  assert.ok(cores > 0 && cores <= 0.26, `${cores}`);
});

test("a host that tells nothing shows nothing", async () => {
  const { cgroups } = cgroupsOf(() => ({ cpu_ms: null, memory_bytes: null, pids: null }));
  const board = new UsageBoard();
  await board.watch(cgroups).create("boxer-1");
  await board.measure();
  await board.measure();
  assert.deepEqual(board.usageOf("boxer-1"), { cpu_cores: null, memory_bytes: null, tasks: null });
});

test("a run is forgotten when its cgroup is removed, which it is", async () => {
  const { cgroups, seen } = cgroupsOf(() => ({ cpu_ms: 0, memory_bytes: 0, pids: 0 }));
  const board = new UsageBoard();
  const cgroup = await board.watch(cgroups).create("boxer-1");
  await board.measure();
  await cgroup.remove();
  assert.deepEqual([board.usageOf("boxer-1"), seen.removed], [null, 1]);
});

test("of a run that needed a second sandbox the second is shown, until it is gone", async () => {
  let memory_bytes = 1;
  const { cgroups } = cgroupsOf(() => ({ cpu_ms: 0, memory_bytes: memory_bytes++, pids: 0 }));
  const board = new UsageBoard();
  const watched = board.watch(cgroups);
  await watched.create("boxer-1");
  const second = await watched.create("boxer-1-2");
  await board.measure();
  assert.equal(board.usageOf("boxer-1")?.memory_bytes, 2);
  await second.remove();
  assert.equal(board.usageOf("boxer-1")?.memory_bytes, 1);
});
