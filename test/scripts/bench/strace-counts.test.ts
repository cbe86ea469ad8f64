import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStraceCounts } from "../../../scripts/bench/strace-counts.ts";

const TABLE = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 59.69    0.004217          21       200           futex
 14.06    0.000993          11        90        40 openat
  9.93    0.000702           8        80         2 newfstatat
  5.41    0.000382          10        38           mkdirat
  4.00    0.000300          10        30        30 unlink
  0.50    0.000030          10         3           vfork
  0.00    0.000000           0         4           clone3
------ ----------- ----------- --------- --------- ----------------
100.00    0.006624          14       445        72 total
`;

test("system calls are counted by what they are for, failed ones included", () => {
  assert.deepEqual(parseStraceCounts(TABLE), { total: 445, opens: 90, lookups: 80, changes: 68, starts: 7 });
});

test("an empty table counts nothing", () => {
  assert.deepEqual(parseStraceCounts(""), { total: 0, opens: 0, lookups: 0, changes: 0, starts: 0 });
});
