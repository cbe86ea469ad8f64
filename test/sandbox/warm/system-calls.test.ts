import assert from "node:assert/strict";
import { test } from "node:test";
import { systemCallsOf } from "../../../src/sandbox/warm/system-calls.ts";

test("each call has a number of its own on each processor", () => {
  const [x64, arm64] = [systemCallsOf("x64"), systemCallsOf("arm64")];
  assert.deepEqual(Object.keys(x64).toSorted(), Object.keys(arm64).toSorted());
  for (const calls of [x64, arm64]) {
    assert.equal(new Set(Object.values(calls)).size, Object.keys(calls).length);
  }
  assert.notEqual(x64.execve, arm64.execve);
});
