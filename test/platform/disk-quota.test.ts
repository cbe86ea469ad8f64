import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { diskQuota } from "../../src/platform/disk-quota.ts";

test("a stated quota is the quota, and null is none", async () => {
  assert.equal(await diskQuota(5, 0.8, "/nonexistent", 0), 5);
  assert.equal(await diskQuota(null, 0.8, "/nonexistent", 0), Number.POSITIVE_INFINITY);
});

test("by default it lies within what the file system has left, and what the store takes counts as room", async () => {
  const quota = await diskQuota(undefined, 0.8, tmpdir(), 0);
  const { blocks, bsize } = await statfs(tmpdir());
  assert.ok(quota > 0 && quota < 0.81 * blocks * bsize, String(quota));
  // Much more than other processes write meanwhile.
  const taken = 1e15;
  assert.ok((await diskQuota(undefined, 0.8, tmpdir(), taken)) > 0.79 * taken);
});
