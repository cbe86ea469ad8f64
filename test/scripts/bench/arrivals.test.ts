import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Arrivals, arrive } from "../../../scripts/bench/arrivals.ts";

/** Lets runs come that take some time; returns how many there were at most at a time, and their order. */
async function watch(arrivals: Arrivals, count: number, run_ms: number) {
  let now = 0;
  let most = 0;
  const order: number[] = [];
  const times = await arrive(arrivals, count, async (index) => {
    order.push(index);
    most = Math.max(most, ++now);
    await sleep(run_ms);
    now -= 1;
  });
  return { most, order, times };
}

test("sequential runs never meet", async () => {
  const { most, order, times } = await watch("sequential", 4, 5);
  assert.deepEqual({ most, order, count: times.length }, { most: 1, order: [0, 1, 2, 3], count: 4 });
});

test("a burst is there at once", async () => {
  const { most, times } = await watch("burst", 6, 5);
  assert.deepEqual({ most, count: times.length }, { most: 6, count: 6 });
});

test("staggered runs do not wait for each other", async () => {
  const { most, order } = await watch("staggered", 3, 1000);
  assert.deepEqual({ most, order }, { most: 3, order: [0, 1, 2] });
});

for (const arrivals of ["sequential", "staggered", "burst"] as const) {
  test(`a run that fails ends those that are ${arrivals}`, async () => {
    let started = 0;
    const failing = arrive(arrivals, 50, async () => {
      started += 1;
      throw new Error("broken");
    });
    await assert.rejects(failing, /broken/);
    assert.equal(started, arrivals === "burst" ? 50 : 1);
  });
}
