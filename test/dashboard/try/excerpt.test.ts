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

test("a character whose end is still to come waits for it; one that never comes is U+FFFD", () => {
  const cut = new TextEncoder().encode("aé").subarray(0, 2);
  assert.deepEqual([excerptOf(cut, true).head, excerptOf(cut).head], ["a", "a\ufffd"]);
});

test("the cuts of a long output part no character and no line", () => {
  const euros = excerptOf(new TextEncoder().encode(`x${"€".repeat(70_000)}`));
  assert.ok(!euros.head.includes("\ufffd") && /^€+$/.test(euros.tail));
  const lines = excerptOf(new TextEncoder().encode("\u001b[31mred\u001b[0m line\n".repeat(20_000)));
  assert.ok(lines.tail.startsWith("\u001b[31mred"), lines.tail.slice(0, 30));
});
