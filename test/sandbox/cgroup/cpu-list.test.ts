import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCpuList, parseCpuList } from "../../../src/sandbox/cgroup/cpu-list.ts";

for (const [text, cpus] of [
  ["0\n", [0]],
  ["0-3\n", [0, 1, 2, 3]],
  ["0-1,4,8-9", [0, 1, 4, 8, 9]],
  ["1,1,0-1", [1, 0]],
  ["", []],
  ["3-1", []],
  ["x,2", [2]],
  ["0-99999999", []],
] as const) {
  test(`the CPU list ${JSON.stringify(text)} is ${JSON.stringify(cpus)}`, () => {
    assert.deepEqual(parseCpuList(text), cpus);
  });
}

test("a list is written as it is read", () => {
  assert.deepEqual(parseCpuList(formatCpuList([0, 2, 3])), [0, 2, 3]);
});
