import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RetryEstimate } from "../../../src/run/admission/retry-estimate.ts";

function estimateOf(durations_ms: readonly number[]): RetryEstimate {
  const estimate = new RetryEstimate();
  for (const duration_ms of durations_ms) estimate.add(duration_ms);
  return estimate;
}

describe("the time until those who wait have had their turn", () => {
  const cases: [string, number[], number, number, number][] = [
    ["a second, before any run ended", [], 1, 100, 1],
    ["at least a second", [1, 1], 4, 3, 1],
    ["rounded up", [1001], 1, 0, 2],
    ["the mean run, for each that waits and the one that comes", [1000, 3000], 1, 4, 10],
    ["shared by those that run side by side", [1000, 3000], 5, 4, 2],
    ["ten minutes at most", [3_600_000], 1, 256, 600],
    ["known with nothing under way, too", [2000], 0, 0, 2],
  ];
  for (const [what, durations, active, waiting, secs] of cases) {
    test(what, () => assert.equal(estimateOf(durations).secs(active, waiting), secs));
  }

  test("only the latest 32 runs count", () => {
    const durations = [1_000_000, ...Array.from({ length: 32 }, () => 2000)];
    assert.equal(estimateOf(durations).secs(1, 0), 2);
  });
});
