import assert from "node:assert/strict";
import { test } from "node:test";
import { median } from "../../../scripts/bench/median.ts";

test("the median is the middle one, ordered as numbers", () => assert.equal(median([100, 9, 10]), 10));

test("of two it is the upper one", () => assert.equal(median([1, 2]), 2));

test("there is none of nothing", () => assert.equal(median([]), Number.NaN));
