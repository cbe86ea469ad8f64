import assert from "node:assert/strict";
import { test } from "node:test";
import { type Controller, cpu, memory, pids } from "../../../src/sandbox/cgroup/controllers.ts";

const LIMITS = { cpu_cores: 1, memory_mb: 256, pids_limit: 64 };
const NONE = { cpu_cores: null, memory_mb: null, pids_limit: null };
const MIB = 1 << 20;
const written = (controller: Controller, limits: typeof LIMITS, version: 1 | 2) =>
  Object.fromEntries(controller.settings(limits, version).map(({ file, value }) => [file, value]));

test("memory is bound with room for the sentry on top, and no swap; v2 ends all of the sandbox together", () => {
  const bytes = String((256 + 64) * MIB);
  assert.deepEqual(written(memory, LIMITS, 2), {
    "memory.max": bytes,
    "memory.swap.max": "0",
    "memory.oom.group": "1",
  });
  assert.deepEqual(written(memory, LIMITS, 1), {
    "memory.limit_in_bytes": bytes,
    "memory.memsw.limit_in_bytes": bytes,
    "memory.swappiness": "0",
  });
});

test("a host without swap accounting still limits memory", () => {
  const must = (version: 1 | 2) =>
    memory.settings(LIMITS, version).flatMap(({ file, isOptional }) => (isOptional ? [] : [file]));
  assert.deepEqual([must(1), must(2)], [["memory.limit_in_bytes"], ["memory.max"]]);
});

test("CPU time takes fractions of a core, never below what the kernel allows", () => {
  for (const [cpu_cores, quota] of [
    [0.5, "50000"],
    [2.5, "250000"],
    [0.000001, "1000"],
    [1 / 3, "33333"],
  ] as const) {
    assert.deepEqual(written(cpu, { ...LIMITS, cpu_cores }, 2), { "cpu.max": `${quota} 100000` });
    assert.equal(written(cpu, { ...LIMITS, cpu_cores }, 1)["cpu.cfs_quota_us"], quota);
  }
});

test("tasks have ample room: the guest has met its own limit long before", () => {
  for (const version of [1, 2] as const) {
    assert.ok(Number(written(pids, LIMITS, version)["pids.max"]) >= 1024 + 4 * 64);
  }
});

test("what has no limit is not written", () => {
  for (const controller of [memory, cpu, pids]) {
    assert.deepEqual([controller.settings(NONE, 1), controller.settings(NONE, 2)], [[], []]);
  }
});
