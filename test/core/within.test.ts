import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../../src/core/within.ts";

const LONG_MS = 60_000;

test("what comes in time is given, and holds nothing open", async () => {
  assert.equal(await within(Promise.resolve(7), LONG_MS), 7);
});

test("what does not come in time is late, and may still come", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  assert.equal(await within(promise, 1), "late");
  resolve("after all");
  assert.equal(await within(promise, LONG_MS), "after all");
});

test("what fails in time fails", async () => {
  await assert.rejects(within(Promise.reject(new Error("no")), LONG_MS), { message: "no" });
});
