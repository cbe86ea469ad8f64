import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { measureLoad } from "../../../scripts/bench/measure-load.ts";

/** An account that has 50 ms more at each look. */
function growing() {
  let used = 0;
  return { scope: "this benchmark" as const, used_ms: async () => (used += 50) };
}

test("a window keeps so many runs going, each in a slot of its own, and counts them", async () => {
  const busy = new Set<number>();
  let most = 0;
  let count = 0;
  const options = { concurrency: 3, seconds: 0.1, watched: null, account: growing() };
  const load = await measureLoad(options, async (slot) => {
    assert.ok(!busy.has(slot));
    most = Math.max(most, busy.add(slot).size);
    await sleep(5);
    busy.delete(slot);
    count += 1;
  });
  assert.equal(most, 3);
  assert.equal(load.times_ms.length, count);
  assert.ok(load.times_ms.every((time_ms) => time_ms > 0));
  assert.ok(load.runs_per_s > 0);
  assert.deepEqual([load.service_cpu_ms_per_run, load.peak_memory_mb, load.loop_delay], [null, null, null]);
});

test("a watched process is told of", async () => {
  const delays = [10, 20].map((late_ms) => ({ late_ms, computing_ms: 0 }));
  const takeLoopDelay = async () => delays.shift() ?? assert.fail();
  const self = { pid: process.pid, takeLoopDelay };
  const options = { concurrency: 1, seconds: 0.05, watched: self, account: growing() };
  const load = await measureLoad(options, () => sleep(5));
  assert.ok((load.peak_memory_mb ?? 0) > 1);
  assert.ok((load.service_cpu_ms_per_run ?? -1) >= 0);
  // The first is of the time before.
  assert.equal(load.loop_delay?.late_ms, 20);
});

test("a run that fails fails the window", async () => {
  const options = { concurrency: 2, seconds: 1, watched: null, account: growing() };
  await assert.rejects(
    measureLoad(options, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
});
