import assert from "node:assert/strict";
import { test } from "node:test";
import { summarize } from "../../../scripts/bench/summarize.ts";

test("measurements are summed up by their number, least, median and high percentiles", () => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  assert.deepEqual(summarize(values), { runs: 200, least: 1, median: 101, p95: 190, p99: 198 });
});

test("one outlier moves the p99 and not the median", () => {
  assert.deepEqual(summarize([10, 11, 12, 9, 5000]), { runs: 5, least: 9, median: 11, p95: 5000, p99: 5000 });
});
