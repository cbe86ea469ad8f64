import assert from "node:assert/strict";
import { test } from "node:test";
import { ratio } from "../../../scripts/bench/ratio.ts";

test("a ratio is the value by the base", () => assert.equal(ratio(150, 100), 1.5));

for (const [value, base] of [
  [1, undefined],
  [1, 0],
  [1, Number.NaN],
  [Number.NaN, 1],
] as const) {
  test(`there is no ratio of ${value} to ${base}`, () => assert.equal(ratio(value, base), null));
}
