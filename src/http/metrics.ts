import { Elysia } from "elysia";
import type { EventLoopDelay, EventLoopDelays } from "../core/event-loop-delay.ts";
import type { ImageStore } from "../image/types.ts";
import type { RunSums } from "../run/run-totals.ts";
import type { RunnerStats } from "../run/runner.ts";
import type { WarmPoolStats } from "../sandbox/warm-pool/types.ts";
import { delaySummary, metric, timeSummary } from "./metric-text.ts";
import { metricsDetail } from "./metrics-detail.ts";

/** Of the text format of Prometheus. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the metrics are read from. */
export interface MetricsParts {
  readonly runner: { stats(): Pick<RunnerStats, "active" | "queued"> };
  readonly totals: { sums(): RunSums };
  readonly warmPool: () => WarmPoolStats;
  readonly images: Pick<ImageStore, "list" | "usage">;
  readonly eventLoop: Pick<EventLoopDelay, "take">;
}

/** `GET /metrics` tells a Prometheus server how the service does. */
export function metricsRoutes({ runner, totals, warmPool, images, eventLoop }: MetricsParts) {
  return new Elysia({ name: "metrics" }).get(
    "/metrics",
    () => {
      const text = formatMetrics({
        ...{ runs: runner.stats(), sums: totals.sums(), warm: warmPool(), delays: eventLoop.take() },
        images: { count: images.list().length, size_bytes: images.usage().size_bytes },
      });
      return new Response(text, { headers: { "content-type": CONTENT_TYPE } });
    },
    { detail: metricsDetail },
  );
}

/** What the metrics tell. */
export interface Metrics {
  readonly runs: Pick<RunnerStats, "active" | "queued">;
  readonly sums: RunSums;
  readonly warm: WarmPoolStats;
  readonly images: { readonly count: number; readonly size_bytes: number };
  readonly delays: EventLoopDelays;
}

/** Writes the metrics in the text format of Prometheus, version 0.0.4. Pure. */
export function formatMetrics({ runs, sums, warm, images, delays }: Metrics): string {
  const sandboxes = { ready: warm.ready, booting: warm.booting };
  const takes = { hit: warm.hits, miss: warm.misses };
  const lines = [
    ...metric("boxer_runs_active", "gauge", "Runs under way.", runs.active),
    ...metric("boxer_runs_queued", "gauge", "Runs that wait for a place.", runs.queued),
    ...metric("boxer_runs_total", "counter", "Runs by how they ended.", { status: sums.ended }),
    ...metric("boxer_runs_warm_total", "counter", "Runs whose sandbox was booted ahead.", sums.warm),
    ...timeSummary("boxer_run_queue_seconds", "Waiting for a place.", sums.queue_ms, sums.results),
    ...timeSummary("boxer_run_boot_seconds", "From there to the start of runsc.", sums.boot_ms, sums.results),
    ...timeSummary("boxer_run_wall_seconds", "From there to the end.", sums.wall_ms, sums.results),
    ...metric("boxer_warm_sandboxes", "gauge", "Sandboxes booted ahead.", {
      state: new Map(Object.entries(sandboxes)),
    }),
    ...metric("boxer_warm_takes_total", "counter", "Runs that looked for a sandbox booted ahead.", {
      result: new Map(Object.entries(takes)),
    }),
    ...metric("boxer_warm_failures_total", "counter", "Sandboxes that could not be kept ready.", warm.failed),
    ...metric("boxer_images", "gauge", "Images in the store.", images.count),
    ...metric("boxer_images_bytes", "gauge", "What they take of the disk.", images.size_bytes),
    ...delaySummary(
      "boxer_event_loop_delay_seconds",
      "How late the event loop came to what was due.",
      delays.late,
    ),
    ...delaySummary(
      "boxer_event_loop_blocked_seconds",
      "How much of that delay this process computed, at most.",
      delays.computing,
    ),
  ];
  return `${lines.join("\n")}\n`;
}
