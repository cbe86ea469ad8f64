import assert from "node:assert/strict";
import { test } from "node:test";
import { settleAll } from "../../src/core/settle-all.ts";

test("results come in order", async () => {
  assert.deepEqual(await settleAll([Promise.resolve(1), Promise.resolve(2)]), [1, 2]);
});

test("a failure is told when all others have ended, the first in order", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isTold = false;
  const all = settleAll([promise, Promise.reject(new Error("second")), Promise.reject(new Error("third"))]);
  const told = assert.rejects(all, /second/).then(() => {
    isTold = true;
  });
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  assert.equal(isTold, false);
  resolve();
  await told;
});
