import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "../../src/network/slots.ts";

test("a slot is held by one at a time, and comes again after all others only", () => {
  const slots = new Slots(3, 4);
  assert.deepEqual([slots.take(), slots.take()], [1, 2]);
  slots.release(1);
  assert.deepEqual([slots.take(), slots.take(), slots.take()], [0, 1, null]);
  slots.release(2);
  assert.deepEqual([slots.take(), slots.take()], [2, null]);
});
