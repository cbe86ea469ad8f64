import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shortenList, shortenText } from "../../../src/run/records/shorten.ts";

describe("a text", () => {
  const cases: [string, number, string][] = [
    ["", 3, ""],
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["ab😀", 3, "ab"],
    ["ab😀", 4, "ab😀"],
    ["x\ud83d", 2, "x\ud83d"],
  ];
  for (const [text, max, kept] of cases) {
    test(`${JSON.stringify(text)} within ${max}`, () => assert.equal(shortenText(text, max), kept));
  }
});

describe("a list", () => {
  const bounds = { max_items: 3, max_chars: 5 };
  const cases: [string[], string[]][] = [
    [[], []],
    [
      ["ab", "cde"],
      ["ab", "cde"],
    ],
    [
      ["ab", "cdef"],
      ["ab", "cde"],
    ],
    [["abcdefg", "h"], ["abcde"]],
    [["abcde", "f"], ["abcde"]],
    [
      ["", "", "", ""],
      ["", "", ""],
    ],
    [
      ["a", "b", "c", "d"],
      ["a", "b", "c"],
    ],
  ];
  for (const [items, kept] of cases) {
    test(JSON.stringify(items), () => assert.deepEqual(shortenList(items, bounds), kept));
  }
});
