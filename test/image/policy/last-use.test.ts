import assert from "node:assert/strict";
import { test } from "node:test";
import { lastUse } from "../../../src/image/policy/last-use.ts";
import { summary } from "../support/summaries.ts";

test("an image was of use last when it was run, or else when it came", () => {
  assert.equal(lastUse(summary("a", { pulled_at_ms: 100 })), 100);
  assert.equal(lastUse(summary("a", { pulled_at_ms: 100, last_used_at_ms: 300 })), 300);
  assert.equal(lastUse(summary("a", { pulled_at_ms: 500, last_used_at_ms: 300 })), 500);
});
