import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "../../src/image/printable.ts";

const cases: [name: string, text: string, expected: string][] = [
  ["plain text stays", "manifest unknown: a/b", "manifest unknown: a/b"],
  ["letters of other scripts stay", "größe 画像", "größe 画像"],
  ["line breaks become one blank", "a\r\n\u2028b", "a b"],
  ["escape sequences lose their escape", "a\u001b[2Jb", "a [2Jb"],
  ["a text cannot be turned around", "a\u202eb\u2066c", "a b c"],
  ["half a character is blanked", "a\ud800b", "a b"],
  ["blanks around are cut", "\0 a \0", "a"],
];
for (const [name, text, expected] of cases) test(name, () => assert.equal(printable(text), expected));

test("a long text is cut to the limit", () => {
  assert.equal(printable("x".repeat(1_000_000), 10), `${"x".repeat(9)}…`);
  assert.equal(printable("x".repeat(10), 10), "x".repeat(10));
});
