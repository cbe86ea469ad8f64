import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TokenBucket } from "../../../src/network/dns/token-bucket.ts";

test("a burst passes, then nothing until time has passed", async () => {
  const bucket = new TokenBucket(0.001, 3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take()),
    [true, true, true, false],
  );
  const quick = new TokenBucket(50, 1);
  assert.ok(quick.take());
  while (!quick.take()) await sleep(5);
});

test("a pause earns no more than the burst", async () => {
  const bucket = new TokenBucket(1000, 2);
  await sleep(50);
  assert.ok(bucket.take() && bucket.take());
});
