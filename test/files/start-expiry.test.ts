import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/core/log.ts";
import { expiryInterval, startExpiry } from "../../src/files/start-expiry.ts";
import { until } from "../support/leftovers.ts";

test("the interval follows the time to live, within a second and an hour", () => {
  assert.equal(expiryInterval(1), 1_000);
  assert.equal(expiryInterval(240_000), 10_000);
  assert.equal(expiryInterval(86_400_000), 3_600_000);
  assert.equal(expiryInterval(1e12), 3_600_000);
});

test("sweeps begin at once, go on after a fault, never overlap, and end with the stop", async () => {
  let under_way = 0;
  let sweeps = 0;
  const stop = startExpiry(
    async () => {
      sweeps += 1;
      under_way += 1;
      assert.equal(under_way, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under_way -= 1;
      throw new Error("a fault");
    },
    1,
    silentLog,
  );
  assert.equal(sweeps, 1);
  await until(() => sweeps >= 3);
  await stop();
  assert.equal(under_way, 0);
  const then = sweeps;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sweeps, then);
});

test("a stop tells the sweep under way and waits for it", async () => {
  let ended = false;
  const stop = startExpiry(
    async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended = true;
    },
    1,
    silentLog,
  );
  await stop();
  assert.ok(ended);
});
