import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePruned } from "../../../src/image/policy/choose-pruned.ts";
import { summary } from "../support/summaries.ts";

const idle = summary("idle", { last_used_at_ms: 400 });
const fresh = summary("fresh", { pulled_at_ms: 900 });
const busy = summary("busy", { in_use: 2 });
const kept = summary("kept");
const all = [idle, fresh, busy, kept];
const options = { now_ms: 1000, isProtected: (image: unknown) => image === kept };

test("all that nobody uses go, but for the protected ones", () => {
  assert.deepEqual(choosePruned(all, { ...options, unused_for_ms: 0 }), [idle, fresh]);
});

test("those that were of use lately stay when told so", () => {
  assert.deepEqual(choosePruned(all, { ...options, unused_for_ms: 600 }), [idle]);
  assert.deepEqual(choosePruned(all, { ...options, unused_for_ms: 601 }), []);
});

test("one in use stays, even if nothing is protected", () => {
  const pruned = choosePruned(all, { ...options, isProtected: () => false, unused_for_ms: 0 });
  assert.deepEqual(pruned, [idle, fresh, kept]);
});
