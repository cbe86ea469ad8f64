import assert from "node:assert/strict";
import { test } from "node:test";
import { beganEntry, parseReport, stepNumber } from "../../../src/sandbox/warm/report.ts";

function entry(step: number, errno: number): Uint8Array {
  return new Uint8Array(new Uint32Array([step, errno]).buffer);
}

test("a report without an entry tells nothing", () => {
  assert.equal(parseReport(new Uint8Array()), null);
});

test("a command that was started is told", () => {
  assert.deepEqual(parseReport(beganEntry()), { step: "began", errno: 0 });
});

test("the last entry counts", () => {
  const bytes = Buffer.concat([beganEntry(), entry(stepNumber("command"), 13)]);
  assert.deepEqual(parseReport(bytes), { step: "command", errno: 13 });
});

test("the bytes may lie anywhere in their buffer", () => {
  const bytes = Buffer.concat([Buffer.alloc(3), entry(stepNumber("cwd"), 2)]).subarray(3);
  assert.deepEqual(parseReport(bytes), { step: "cwd", errno: 2 });
});

test("what is not one of ours tells nothing", () => {
  assert.equal(parseReport(new Uint8Array(7)), null);
  assert.equal(parseReport(new Uint8Array(12)), null);
  assert.equal(parseReport(entry(1000, 1)), null);
});
