import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile } from "../../../scripts/bench/percentile.ts";

const HUNDRED = Array.from({ length: 100 }, (_, index) => 100 - index);

test("p95 of a hundred is the 95th, in whatever order they come", () => {
  assert.equal(percentile(HUNDRED, 0.95), 95);
  assert.equal(percentile(HUNDRED, 0.99), 99);
});

test("share 0 is the least and share 1 the largest", () => {
  assert.equal(percentile([3, 1, 2], 0), 1);
  assert.equal(percentile([3, 1, 2], 1), 3);
});

test("of few, a high percentile is the largest", () => assert.equal(percentile([5, 30, 10], 0.95), 30));

test("numbers are ordered as numbers", () => assert.equal(percentile([9, 10, 100], 0.5), 10));

test("there is none of nothing", () => assert.equal(percentile([], 0.5), Number.NaN));

test("the numbers themselves stay as they are", () => {
  const values = [3, 1, 2];
  percentile(values, 0.5);
  assert.deepEqual(values, [3, 1, 2]);
});
