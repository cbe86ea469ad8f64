import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseMachineCounters,
  parsePeakMemoryMb,
  parseProcessCpuMs,
  peakMemoryMb,
  processCpuMs,
} from "../../../scripts/bench/proc-counters.ts";

test("the machine is busy with all but idling, waiting for disks, and what it does for others", () => {
  const stat = "cpu  100 20 30 9000 500 4 6 77 88 99\ncpu0 1 1 1 1 1 1 1 1 1 1\nprocesses 7\n";
  assert.equal(parseMachineCounters(stat).busy_ms, 10 * (100 + 20 + 30 + 4 + 6));
});

test("a process's time is that of itself, whatever its name looks like", () => {
  const fields = "S 1 2 3 4 5 6 7 8 9 10 250 125 9999 9999 20 0";
  assert.equal(parseProcessCpuMs(`42 (a) 7 (b c) ${fields}\n`), 3750);
});

test("the peak of memory is VmHWM", () => {
  assert.equal(parsePeakMemoryMb("VmPeak:\t 999999 kB\nVmHWM:\t   51200 kB\nVmRSS:\t 1024 kB\n"), 50);
  assert.equal(parsePeakMemoryMb("Name:\tkthreadd\n"), 0);
});

test("this very process has used memory and time", async () => {
  assert.ok((await peakMemoryMb(process.pid)) > 1);
  for (const end = process.cpuUsage().user + 30_000; process.cpuUsage().user < end; );
  assert.ok((await processCpuMs(process.pid)) > 0);
});
