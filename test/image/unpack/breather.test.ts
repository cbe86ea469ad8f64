import assert from "node:assert/strict";
import { test } from "node:test";
import { createBreather } from "../../../src/image/unpack/breather.ts";

test("gives the event loop its turn during work that never waits for anything else", async () => {
  const breathe = createBreather();
  let turn = false;
  setTimeout(() => {
    turn = true;
  }, 1);
  while (!turn) await breathe();
  assert.ok(turn);
});
