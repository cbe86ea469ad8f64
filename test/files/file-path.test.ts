import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { normalisePath, normalisePrefix, normaliseUploadPath } from "../../src/files/file-path.ts";

const refused = (field: string, message: RegExp) => ({
  name: "BoxerError",
  code: "invalid_path",
  field,
  message,
});

describe("a path of the file store", () => {
  const accepted: [string, string][] = [
    ["script.py", "script.py"],
    ["workspace/script.py", "workspace/script.py"],
    ["./a//b", "a/b"],
    ["././a/./b", "a/b"],
    ["a///b/c", "a/b/c"],
    ["...", "..."],
    ["a/..b/c..", "a/..b/c.."],
    ["%2e%2e/x", "%2e%2e/x"],
    ["..%2fx", "..%2fx"],
    ["back\\slash", "back\\slash"],
    ["new\nline", "new\nline"],
    ["tab\tand bell\x07", "tab\tand bell\x07"],
    ["name with spaces ", "name with spaces "],
    ["日本/é.txt", "日本/é.txt"],
    ["output/boxer-1/x", "output/boxer-1/x"],
    ["x".repeat(255), "x".repeat(255)],
    [`${"é".repeat(127)}x`, `${"é".repeat(127)}x`],
    [`${"a/".repeat(2046)}bc`, `${"a/".repeat(2046)}bc`],
  ];
  for (const [text, path] of accepted) {
    test(`${JSON.stringify(text.slice(0, 40))} (${text.length}) is accepted`, () => {
      assert.equal(normalisePath(text), path);
    });
  }

  const refusals: [string, RegExp][] = [
    ["", /it is empty/],
    [".", /names a directory/],
    ["./", /names a directory/],
    ["a/", /names a directory/],
    ["a/.", /names a directory/],
    ["..", /contains "\.\."/],
    ["../x", /contains "\.\."/],
    ["a/../b", /contains "\.\."/],
    ["a/..", /contains "\.\."/],
    ["./../x", /contains "\.\."/],
    ["/", /absolute/],
    ["/etc/passwd", /absolute/],
    ["//x", /absolute/],
    ["a\0b", /NUL/],
    ["\0", /NUL/],
    ["\ud800x", /not valid Unicode/],
    ["x".repeat(256), /longer than 255 bytes/],
    ["é".repeat(128), /longer than 255 bytes/],
    [`${"a/".repeat(2047)}b`, /longer than 4094 bytes/],
  ];
  for (const [text, reason] of refusals) {
    test(`${JSON.stringify(text.slice(0, 40))} (${text.length}) is refused`, () => {
      assert.throws(() => normalisePath(text), refused("path", reason));
    });
  }

  test("the refusal names the field and quotes the path on one short line", () => {
    assert.throws(
      () => normalisePath(`../${"\n".repeat(5000)}`, "files[3]"),
      refused("files[3]", /^Cannot use files\[3\] "\.\.\/(\\n){97}…": it contains "\.\."$/),
    );
  });
});

describe("a path to upload to", () => {
  const reserved = ["output", "/output", "./output", "x/../output", "output/", ".//output", "output/x"];
  for (const path of [...reserved, "./output/./x", ".//output//boxer-1/x", "output/.."]) {
    test(`${path} is refused`, () => {
      assert.throws(() => normaliseUploadPath(path, "path"), refused("path", /./));
    });
  }

  for (const path of ["outputs", "output.txt", "a/output", "a/output/b", "Output/x", "%6futput/x"]) {
    test(`${path} is accepted`, () => assert.equal(normaliseUploadPath(path), path));
  }

  test("the refusal of output/ says that it is reserved", () => {
    assert.throws(() => normaliseUploadPath("./output/x"), refused("path", /reserved/));
  });
});

describe("a prefix", () => {
  const spellings: [text: string, prefix: string][] = [
    ["", ""],
    [".", ""],
    ["./", ""],
    ["././/.", ""],
    ["a", "a"],
    ["a/", "a"],
    ["./a//b/./", "a/b"],
    ["a/b//.", "a/b"],
    ["a./", "a."],
    ["a/.b/", "a/.b"],
    ["output/x", "output/x"],
    ["%2e%2e", "%2e%2e"],
  ];
  for (const [text, prefix] of spellings) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(prefix)}`, () =>
      assert.equal(normalisePrefix(text), prefix));
  }

  for (const text of [
    "/",
    "//",
    "/.",
    "..",
    "../",
    "a/..",
    "a/../",
    "./..",
    "/a",
    "a\0",
    "\0",
    "\ud800",
    "x".repeat(256),
  ]) {
    test(`${JSON.stringify(text.slice(0, 20))} is refused`, () => {
      assert.throws(() => normalisePrefix(text), refused("prefix", /./));
    });
  }

  test("one that is nothing but slashes and dots takes no long time", () => {
    assert.equal(normalisePrefix("./".repeat(1e5)), "");
    assert.throws(() => normalisePrefix(`${"/".repeat(1e5)}x`), refused("prefix", /absolute/));
    assert.throws(() => normalisePrefix(`a${"/".repeat(1e5)}\0`), refused("prefix", /NUL/));
  });
});
