import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatMetrics, metricsRoutes } from "../../src/http/metrics.ts";
import type { RunSums } from "../../src/run/run-totals.ts";

const LATE = { p50_ms: 0.4, p99_ms: 3.25, max_ms: 1234.5678, count: 7, sum_ms: 1250 };
const COMPUTING = { p50_ms: 0, p99_ms: 1, max_ms: 20, count: 7, sum_ms: 21 };
const ENDED: RunSums["ended"] = new Map([
  ["ok", 7],
  ["sandbox_error", 1],
]);
const METRICS = {
  runs: { active: 3, queued: 12 },
  sums: { ended: ENDED, results: 7, warm: 4, queue_ms: 1500, boot_ms: 70.5, wall_ms: 9000 },
  warm: { ready: 2, booting: 1, memory_mb: 96, hits: 4, misses: 3, failed: 5, discarded: 6 },
  images: { count: 2, size_bytes: 123_456_789 },
  delays: { late: LATE, computing: COMPUTING },
};
const TEXT = formatMetrics(METRICS);

describe("the metrics", () => {
  it("tell of runs, sandboxes booted ahead, images, and the delay of the event loop, in base units", () => {
    const samples = TEXT.split("\n").filter((line) => !line.startsWith("#"));
    assert.deepEqual(samples, [
      "boxer_runs_active 3",
      "boxer_runs_queued 12",
      'boxer_runs_total{status="ok"} 7',
      'boxer_runs_total{status="sandbox_error"} 1',
      "boxer_runs_warm_total 4",
      "boxer_run_queue_seconds_sum 1.5",
      "boxer_run_queue_seconds_count 7",
      "boxer_run_boot_seconds_sum 0.0705",
      "boxer_run_boot_seconds_count 7",
      "boxer_run_wall_seconds_sum 9",
      "boxer_run_wall_seconds_count 7",
      'boxer_warm_sandboxes{state="ready"} 2',
      'boxer_warm_sandboxes{state="booting"} 1',
      'boxer_warm_takes_total{result="hit"} 4',
      'boxer_warm_takes_total{result="miss"} 3',
      "boxer_warm_failures_total 5",
      "boxer_images 2",
      "boxer_images_bytes 123456789",
      'boxer_event_loop_delay_seconds{quantile="0.5"} 0.0004',
      'boxer_event_loop_delay_seconds{quantile="0.99"} 0.00325',
      'boxer_event_loop_delay_seconds{quantile="1"} 1.234568',
      "boxer_event_loop_delay_seconds_sum 1.25",
      "boxer_event_loop_delay_seconds_count 7",
      'boxer_event_loop_blocked_seconds{quantile="0.5"} 0',
      'boxer_event_loop_blocked_seconds{quantile="0.99"} 0.001',
      'boxer_event_loop_blocked_seconds{quantile="1"} 0.02',
      "boxer_event_loop_blocked_seconds_sum 0.021",
      "boxer_event_loop_blocked_seconds_count 7",
      "",
    ]);
  });

  it("name help and type of each before its samples", () => {
    const lines = TEXT.trimEnd().split("\n");
    const names = new Set<string>();
    for (const [index, line] of lines.entries()) {
      const type = /^# TYPE (\w+) (gauge|counter|summary)$/.exec(line);
      if (type?.[1]) {
        assert.ok(lines[index - 1]?.startsWith(`# HELP ${type[1]} `), line);
        names.add(type[1]);
      } else if (!line.startsWith("#")) {
        const [name = ""] = line.split(/[{ ]/);
        assert.ok(names.has(name) || names.has(name.replace(/_(sum|count)$/, "")), line);
      }
    }
    assert.equal(names.size, 14);
  });

  it("are served as Prometheus reads them", async () => {
    const images = { list: () => [], usage: () => ({ size_bytes: 5, quota_bytes: 10 }) };
    const app = metricsRoutes({
      runner: { stats: () => METRICS.runs },
      totals: { sums: () => METRICS.sums },
      warmPool: () => METRICS.warm,
      images,
      eventLoop: { take: () => METRICS.delays },
    });
    const response = await app.handle(new Request("http://localhost/metrics"));
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.equal(await response.text(), formatMetrics({ ...METRICS, images: { count: 0, size_bytes: 5 } }));
  });
});
