import assert from "node:assert/strict";
import { test } from "node:test";
import { abortable } from "../../src/image/abortable.ts";

test("the result or failure of what is waited for is passed on", async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(1), signal), 1);
  await assert.rejects(abortable(Promise.reject(new Error("bad")), signal), /bad/);
});

test("an abort ends the wait at once with its reason", async () => {
  const controller = new AbortController();
  const waiting = abortable(new Promise(() => {}), controller.signal);
  controller.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  await assert.rejects(abortable(Promise.resolve(1), controller.signal), /gone/);
});
