import assert from "node:assert/strict";
import { test } from "node:test";
import { HostSampler } from "../../../src/dashboard/metrics/host-sampler.ts";

const MEMINFO = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    250 kB\n";

test("CPU is the share of time not idle between two measurements, memory what is not available", () => {
  let [stat, now] = ["cpu  100 0 100 700 100 0 0 0 5 5\ncpu0 1 1\n", 0];
  const sampler = new HostSampler(
    (path) => (path === "/proc/stat" ? stat : MEMINFO),
    () => now,
  );
  sampler.sample();
  assert.equal(sampler.usage().cpu_share, null);
  stat = "cpu  150 0 110 730 110 0 0 0 5 5\n";
  now = 2_000;
  sampler.sample();
  const { cpu_share, memory_used_bytes, memory_total_bytes } = sampler.usage();
  assert.deepEqual([cpu_share, memory_used_bytes, memory_total_bytes], [0.6, 750 * 1024, 1000 * 1024]);
});

test("measurements close to each other are one, and only the last are kept", () => {
  let [reads, now] = [0, 0];
  const read = (path: string) => {
    if (path !== "/proc/stat") return MEMINFO;
    reads += 1;
    return `cpu  ${reads} 0 0 ${reads}\n`;
  };
  const sampler = new HostSampler(read, () => now);
  sampler.sample();
  sampler.sample();
  assert.equal(reads, 1);
  for (now = 1_000; now < 100_000; now += 1_000) sampler.sample();
  assert.equal(sampler.usage().cpu_history.length, 60);
});
