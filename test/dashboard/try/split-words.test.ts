import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { splitWords } from "../../../src/dashboard/try/split-words.ts";

describe("a line is split as a shell does", () => {
  const lines = [
    "python3 /work/main.py",
    "  a   b\tc ",
    `sh -c 'echo "hi"; exit 3'`,
    `echo "a \\"quoted\\" \\\\ word" plain`,
    `one'two'"three"four`,
    `a\\ b`,
    `'' ""`,
    `"back\\slash" 'back\\slash'`,
    "'two\nlines'",
  ];
  for (const line of lines) {
    test(JSON.stringify(line), () => {
      const words = execFileSync("sh", ["-c", `printf '%s\\0' ${line}`])
        .toString()
        .split("\0")
        .slice(0, -1);
      assert.deepEqual(splitWords(line), words);
    });
  }
});

test("nothing is expanded, and no character but quotes and backslashes has a meaning", () => {
  assert.deepEqual(splitWords("echo $HOME * ; rm -rf / | `x` > y"), [
    "echo",
    "$HOME",
    "*",
    ";",
    "rm",
    "-rf",
    "/",
    "|",
    "`x`",
    ">",
    "y",
  ]);
});

test("a quote that is not closed is refused", () => {
  for (const line of ["echo 'a", 'echo "a', '"\\"']) {
    assert.throws(() => splitWords(line), { code: "invalid_request", field: "cmd" });
  }
});
