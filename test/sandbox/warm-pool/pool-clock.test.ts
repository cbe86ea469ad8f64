import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../../src/sandbox/warm-pool/pool-clock.ts";

test("the machine's clock calls once, and not what was taken back", async () => {
  const called: string[] = [];
  const takeBack = systemClock.after(1, () => called.push("taken back"));
  takeBack();
  const begun_ms = systemClock.now();
  systemClock.after(1, () => called.push("first"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(called, ["first"]);
  assert.ok(systemClock.now() >= begun_ms);
});
