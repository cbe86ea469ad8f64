import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLoopDelay } from "../../../scripts/bench/loop-delay.ts";
import { delaySummary } from "../../../src/http/metric-text.ts";

const NONE = { p50_ms: 1, p99_ms: 2, max_ms: 0, count: 3, sum_ms: 4 };

test("the worst delay of an event loop is read of what the service tells", () => {
  const lines = [
    ...delaySummary("boxer_event_loop_delay_seconds", "Late.", { ...NONE, max_ms: 1234.5 }),
    ...delaySummary("boxer_event_loop_blocked_seconds", "Computing.", { ...NONE, max_ms: 0.042 }),
  ];
  const { late_ms, computing_ms } = parseLoopDelay(lines.join("\n"));
  assert.deepEqual([late_ms.toFixed(3), computing_ms.toFixed(3)], ["1234.500", "0.042"]);
});

test("an answer that does not tell it is refused", () => {
  assert.throws(() => parseLoopDelay("# nothing\n"), /does not tell boxer_event_loop_delay_seconds/);
});
