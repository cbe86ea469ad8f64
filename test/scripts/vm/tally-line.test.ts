import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTallyLine, parseTallyLine } from "../../../scripts/vm/tally-line.ts";

const TALLY = { passed: 3, failed: 1, skipped: 2, failures: ['a "quoted" failure\nof two lines'] };

test("a result comes back as it was told, on one line", () => {
  const line = formatTallyLine(TALLY);
  assert.ok(!line.includes("\n"));
  assert.deepEqual(parseTallyLine(line), TALLY);
});

test("other lines are no result, nor one that was cut short", () => {
  const line = formatTallyLine(TALLY);
  for (const other of ["", "3 passed, 1 failed", `> ${line}`, line.slice(0, -1), `${line}}`]) {
    assert.equal(parseTallyLine(other), undefined, other);
  }
});
