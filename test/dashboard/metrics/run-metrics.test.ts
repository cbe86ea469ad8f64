import assert from "node:assert/strict";
import { test } from "node:test";
import { RunMetrics } from "../../../src/dashboard/metrics/run-metrics.ts";
import { endedRun, failedRun, RESULT } from "../../support/ended-run.ts";

function at(clock: { ms: number }) {
  return new RunMetrics(() => clock.ms);
}

function run(status: typeof RESULT.status, wall_ms = 100) {
  return endedRun(1, { outcome: { result: { ...RESULT, status, wall_ms } } });
}

test("before the first run there are no times, and histories of nothing", () => {
  const { runs, boot, wall, runs_history } = at({ ms: 1e9 }).activity();
  assert.deepEqual([runs, boot, wall], [0, null, null]);
  assert.ok(runs_history.every((count) => count === 0));
});

test("runs are counted by whose failure they were", () => {
  const metrics = at({ ms: 1e9 });
  for (const status of ["ok", "nonzero_exit", "signaled", "timed_out", "oom_killed", "canceled"] as const)
    metrics.ended(run(status));
  for (const code of ["sandbox_crashed", "image_pull_failed", "invalid_image_reference", "canceled"] as const)
    metrics.ended(failedRun(1, code));
  const { runs, faults, stopped, failed } = metrics.activity();
  assert.deepEqual([runs, faults, stopped, failed], [10, 2, 2, 2]);
});

test("percentiles are those of the nearest rank", () => {
  const metrics = at({ ms: 1e9 });
  for (let ms = 1; ms <= 100; ms += 1) metrics.ended(run("ok", ms));
  assert.deepEqual(metrics.activity().wall, { p50_ms: 50, p95_ms: 95 });
});

test("what is older than the window is forgotten, the last minute sooner", () => {
  const clock = { ms: 1e9 };
  const metrics = at(clock);
  metrics.ended(run("ok"));
  clock.ms += 120_000;
  assert.deepEqual([metrics.activity().runs, metrics.activity().runs_last_minute], [1, 0]);
  clock.ms += 900_000;
  assert.equal(metrics.activity().runs, 0);
});

test("a flood of runs takes no more memory than a few of them", () => {
  const metrics = at({ ms: 1e9 });
  for (let index = 0; index < 20_000; index += 1) metrics.ended(run("ok", index));
  const { runs, wall } = metrics.activity();
  assert.equal(runs, 20_000);
  assert.ok(wall && wall.p50_ms > 6_000 && wall.p50_ms < 14_000, `${wall?.p50_ms}`);
});
