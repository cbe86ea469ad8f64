import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { matchPattern } from "../../../src/image/policy/match-pattern.ts";

describe("a pattern and what it fits", () => {
  const cases: [pattern: string, fits: string[], others: string[]][] = [
    ["docker.io/a", ["docker.io/a"], ["docker.io/ab", "xdocker.io/a", "dockerxio/a", ""]],
    [
      "docker.io/a/*",
      ["docker.io/a/b", "docker.io/a/", "docker.io/a/b:1"],
      ["docker.io/a", "docker.io/a/b/c"],
    ],
    ["docker.io/a/**", ["docker.io/a/b", "docker.io/a/b/c:1"], ["docker.io/a", "docker.io/ab/c"]],
    ["*/a", ["x/a", "/a"], ["a", "x/y/a"]],
    ["**/a", ["x/a", "x/y/a"], ["a", "x/ab"]],
    ["x/*-dev:*", ["x/a-dev:1", "x/a-dev-dev:1"], ["x/a:1", "x/a-dev", "x/y/a-dev:1"]],
    ["*a*b*", ["ab", "xaxbx", "aab", "aabb"], ["ba", "a/b", "/ab"]],
    ["**a**/b", ["a/b", "x/a/y/b"], ["ab", "a/bc"]],
    ["a**", ["a", "a/b"], ["ba"]],
    ["**", ["", "a/b:c@d"], []],
    ["[a].+?^$(b)|\\d", ["[a].+?^$(b)|\\d"], ["a", "b", "1"]],
    ["", [""], ["a"]],
  ];
  for (const [pattern, fits, others] of cases) {
    test(`"${pattern}"`, () => {
      for (const text of fits) assert.equal(matchPattern(pattern, text), true, text);
      for (const text of others) assert.equal(matchPattern(pattern, text), false, text);
    });
  }
});
