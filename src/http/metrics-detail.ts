import { type DocumentedResponse, reboundRead } from "./detail.ts";

const EXAMPLE = `# HELP boxer_runs_active Runs under way.
# TYPE boxer_runs_active gauge
boxer_runs_active 3
# HELP boxer_runs_total Runs by how they ended.
# TYPE boxer_runs_total counter
boxer_runs_total{status="ok"} 1204
boxer_runs_total{status="timed_out"} 7
# HELP boxer_run_wall_seconds From there to the end.
# TYPE boxer_run_wall_seconds summary
boxer_run_wall_seconds_sum 307.118
boxer_run_wall_seconds_count 1211
# HELP boxer_warm_takes_total Runs that looked for a sandbox booted ahead.
# TYPE boxer_warm_takes_total counter
boxer_warm_takes_total{result="hit"} 988
boxer_warm_takes_total{result="miss"} 223
# HELP boxer_event_loop_delay_seconds How late the event loop came to what was due. Quantiles since the last scrape; 1 is the worst.
# TYPE boxer_event_loop_delay_seconds summary
boxer_event_loop_delay_seconds{quantile="0.5"} 0.000418
boxer_event_loop_delay_seconds{quantile="0.99"} 0.003112
boxer_event_loop_delay_seconds{quantile="1"} 0.007904
boxer_event_loop_delay_seconds_sum 1.204117
boxer_event_loop_delay_seconds_count 2290
`;

const metrics: DocumentedResponse = {
  description: "The metrics.",
  content: { "text/plain": { schema: { type: "string" }, examples: { metrics: { value: EXAMPLE } } } },
};

/** `GET /metrics` in the OpenAPI document. */
export const metricsDetail = {
  summary: "How does it do?",
  description:
    "For a Prometheus server, in its text format. The example is a part of what it tells. The quantiles of a summary are those since the last scrape, whoever " +
    "that was; quantile 1 is the largest value.",
  tags: ["health"],
  responses: {
    200: metrics,
    403: reboundRead,
  },
};
