import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { quotaOf } from "../../../src/image/policy/quota-of.ts";

test("a stated quota is the quota, and null is none", async () => {
  assert.equal(await quotaOf(5, "/nonexistent", 0), 5);
  assert.equal(await quotaOf(null, "/nonexistent", 0), Number.POSITIVE_INFINITY);
});

test("by default it lies within what the file system has left, and what images take counts as room", async () => {
  const quota = await quotaOf(undefined, tmpdir(), 0);
  const { blocks, bsize } = await statfs(tmpdir());
  assert.ok(quota > 0 && quota < blocks * bsize, String(quota));
  // Much more than other processes write meanwhile.
  const taken = 1e15;
  assert.ok((await quotaOf(undefined, tmpdir(), taken)) > 0.79 * taken);
});
