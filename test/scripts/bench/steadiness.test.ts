import assert from "node:assert/strict";
import { test } from "node:test";
import { steadiness } from "../../../scripts/bench/steadiness.ts";

const rate = (workload: string, runner: string, concurrency: number, runs_per_s: number) => ({
  workload,
  runner,
  concurrency,
  runs_per_s,
});

test("each is compared at its most at a time with its own best", () => {
  const rates = [
    rate("echo", "raw", 1, 10),
    rate("echo", "ours", 1, 12),
    rate("echo", "raw", 8, 20),
    rate("echo", "ours", 8, 11),
    rate("echo", "raw", 32, 15),
    rate("python", "raw", 32, 4),
  ];
  assert.deepEqual(
    steadiness(rates).map(({ workload, runner, ...rest }) => [workload, runner, ...Object.values(rest)]),
    [
      ["echo", "raw", 20, 8, 15, 32, 0.75],
      ["echo", "ours", 12, 1, 11, 8, 11 / 12],
      ["python", "raw", 4, 32, 4, 32, 1],
    ],
  );
});

test("nothing is made of nothing", () => assert.deepEqual(steadiness([]), []));
