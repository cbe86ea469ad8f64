import assert from "node:assert/strict";
import { test } from "node:test";
import { excerptOf } from "../../../src/dashboard/try/excerpt.ts";

test("a short output is shown whole", () => {
  assert.deepEqual(excerptOf(new TextEncoder().encode("é\n")), { head: "é\n", gap: null, tail: "" });
});

test("of a long one the beginning and the end are shown, and how much is between", () => {
  const { head, gap, tail } = excerptOf(new Uint8Array(1 << 20).fill(0x61).fill(0x7a, -1));
  assert.ok(head.length + tail.length < 100 * 1024);
  assert.ok(tail.endsWith("z"));
  assert.equal(gap, "928 KB are not shown");
});
