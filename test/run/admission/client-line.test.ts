import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientLine } from "../../../src/run/admission/client-line.ts";

const waiter = (memory_mb: number) => ({ memory_mb, admit() {}, refuse() {} });

test("a line knows its first and its last, and is idle without runs that wait or are under way", () => {
  const line = new ClientLine("ada");
  assert.deepEqual([line.isIdle, line.first, line.last, line.length], [true, undefined, undefined, 0]);
  const [a, b, c] = [waiter(1), waiter(2), waiter(3)];
  for (const one of [a, b, c]) line.add(one);
  assert.deepEqual([line.isIdle, line.first, line.last, line.length], [false, a, c, 3]);
  assert.equal(line.next_memory_mb, 1);
  line.remove(a);
  line.remove(c);
  assert.deepEqual([line.first, line.last, line.has(a), line.has(b)], [b, b, false, true]);
  line.remove(b);
  line.active = 1;
  assert.equal(line.isIdle, false);
});

test("a line that takes its turn has been overtaken by nobody", () => {
  const line = new ClientLine("ada");
  line.overtaken = 3;
  line.takeTurn(7);
  assert.deepEqual([line.turn, line.overtaken], [7, 0]);
});
