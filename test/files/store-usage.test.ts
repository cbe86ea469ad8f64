import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { filesQuotaOf, NoRoomError, StoreUsage } from "../../src/files/store-usage.ts";

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

test("a stated quota is the quota, and null is none", async () => {
  assert.equal(await filesQuotaOf(5, "/nonexistent", 0), 5);
  assert.equal(await filesQuotaOf(null, "/nonexistent", 0), Number.POSITIVE_INFINITY);
});

test("by default it lies within what the file system has left, and what files take counts as room", async () => {
  const quota = await filesQuotaOf(undefined, tmpdir(), 0);
  const { blocks, bsize } = await statfs(tmpdir());
  assert.ok(quota > 0 && quota < 0.11 * blocks * bsize, String(quota));
  // Much more than other processes write meanwhile.
  assert.ok((await filesQuotaOf(undefined, tmpdir(), 1e15)) > 0.09 * 1e15);
});
