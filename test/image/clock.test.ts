import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/image/clock.ts";

test("a sleep ends by itself", async () => {
  await systemClock.sleep(1, new AbortController().signal);
});

test("a sleep ends at once with the signal's reason", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error("gone"));
  await assert.rejects(sleeping, /gone/);
  await assert.rejects(systemClock.sleep(60_000, controller.signal), /gone/);
});
