import assert from "node:assert/strict";
import { test } from "node:test";
import { withDeadline } from "../../src/image/deadline.ts";

const late = () => new Error("late");

test("the signal aborts with the reason when the time is up", async () => {
  const { signal, stop } = withDeadline(new AbortController().signal, 1, late);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert.throws(() => signal.throwIfAborted(), /late/);
  stop();
});

test("the signal aborts with the one it depends on", () => {
  const controller = new AbortController();
  const { signal, stop } = withDeadline(controller.signal, 60_000, late);
  controller.abort(new Error("gone"));
  assert.throws(() => signal.throwIfAborted(), /gone/);
  stop();
});
