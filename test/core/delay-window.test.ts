import assert from "node:assert/strict";
import { test } from "node:test";
import { DelayWindow } from "../../src/core/delay-window.ts";

test("the quantiles are those of the time since they were last told, the totals those since the start", () => {
  const window = new DelayWindow();
  for (const delay of [...Array(98).fill(0), 50, 60]) window.add(delay);
  const first = window.take();
  assert.ok(first.p50_ms <= 0.1 && first.p99_ms >= 50, JSON.stringify(first));
  assert.deepEqual([first.max_ms, first.count, first.sum_ms], [60, 100, 110]);
  window.add(2);
  assert.deepEqual(window.take(), { p50_ms: 2, p99_ms: 2, max_ms: 2, count: 101, sum_ms: 112 });
  assert.deepEqual(window.take(), { p50_ms: 0, p99_ms: 0, max_ms: 0, count: 101, sum_ms: 112 });
});
