import assert from "node:assert/strict";
import { test } from "node:test";
import { NoRoomError, StoreUsage } from "../../src/files/store-usage.ts";

test("what is too much is told, and what does not grow is never too much", () => {
  const usage = new StoreUsage(8, 10);
  assert.deepEqual(
    [1, 2, 3].map((growth) => usage.excess(growth) > 0),
    [false, false, true],
  );
  assert.equal(usage.excess(5), 3);
  assert.equal(new StoreUsage(20, 10).excess(0), 0);
  assert.equal(new StoreUsage(20, 10).excess(-1), 0);
  usage.refuseExcess(2);
  assert.throws(() => usage.refuseExcess(3), new NoRoomError(3));
});
