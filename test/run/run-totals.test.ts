import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RunTotals } from "../../src/run/run-totals.ts";
import { endedRun, failedRun, RESULT } from "../support/ended-run.ts";

describe("totals of runs", () => {
  it("begin with nothing", () => {
    const sums = { ended: new Map(), results: 0, warm: 0, queue_ms: 0, boot_ms: 0, wall_ms: 0 };
    assert.deepEqual(new RunTotals().sums(), sums);
  });

  it("count how runs ended, also those without a result, and add up the times of the rest", () => {
    const totals = new RunTotals();
    totals.ended(endedRun(1));
    totals.ended(endedRun(2, { outcome: { result: { ...RESULT, warm: true, boot_ms: 0, wall_ms: 10 } } }));
    totals.ended(endedRun(3, { outcome: { result: { ...RESULT, status: "timed_out", queue_ms: 100 } } }));
    totals.ended(failedRun(4, "canceled"));
    totals.ended(failedRun(5, "unknown_file"));
    totals.ended(failedRun(6, "sandbox_failed"));
    assert.deepEqual(totals.sums(), {
      ended: new Map([
        ["ok", 2],
        ["timed_out", 1],
        ["canceled", 1],
        ["refused", 1],
        ["sandbox_error", 1],
      ]),
      results: 3,
      warm: 1,
      queue_ms: 102,
      boot_ms: 4,
      wall_ms: 16,
    });
  });
});
