import assert from "node:assert/strict";
import { test } from "node:test";
import { meaningOfName } from "../../../src/image/unpack/whiteout.ts";

const meaning = (path: string) => meaningOfName(path.split("/"), path);

test("takes names without the prefix for what they are", () => {
  for (const path of ["a", "a/b.wh.", "a/.whx", ".", "a/wh.b"])
    assert.deepEqual(meaning(path), { kind: "plain" });
});

test("reads which name a whiteout hides", () => {
  assert.deepEqual(meaning("a/.wh.b"), { kind: "whiteout", name: "b" });
  assert.deepEqual(meaning("a/.wh..b"), { kind: "whiteout", name: ".b" });
  assert.deepEqual(meaning(".wh..wh"), { kind: "whiteout", name: ".wh" });
  assert.deepEqual(meaning(".wh....."), { kind: "whiteout", name: "...." });
});

test("tells opaque directories from the bookkeeping of aufs", () => {
  assert.deepEqual(meaning("a/.wh..wh..opq"), { kind: "opaque" });
  for (const path of [
    ".wh..wh.plnk",
    ".wh..wh.aufs",
    ".wh..wh.orph",
    ".wh..wh.plnk/1.2",
    "a/.wh..wh..opq/b",
  ]) {
    assert.deepEqual(meaning(path), { kind: "ignored" });
  }
});

for (const path of [".wh.", "a/.wh.", "a/.wh..", "a/.wh...", ".wh.a/b", ".wh.a/.wh.a"]) {
  test(`refuses a whiteout that hides nothing one can name: ${path}`, () => {
    assert.throws(() => meaning(path), { code: "image_invalid" });
  });
}
