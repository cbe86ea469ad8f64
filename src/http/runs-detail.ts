import type { Static } from "typebox";
import { answer, crossSite, failure, reboundRead } from "./detail.ts";
import { RECORD_STATUSES, RunsResponse, RunView } from "./runs-model.ts";
import { MAX_PAGE } from "./runs-query.ts";

const exec_id = "boxer-5e0f5f0e-6d5a-4a3e-9b0e-0d6e3f3f9b1c";

const ended: Static<typeof RunView> = {
  exec_id,
  state: "ended",
  status: "ok",
  error: null,
  image: "local/python:3",
  cmd: ["python3", "-c", "print(42)"],
  env_names: ["TOKEN"],
  cwd: null,
  user: null,
  files: [],
  limits: { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 },
  network: "none",
  persist: false,
  on_output_limit: "fail",
  shortened: [],
  client: "127.0.0.1",
  submitted_at: "2026-01-02T03:04:05.000Z",
  started_at: "2026-01-02T03:04:05.002Z",
  ended_at: "2026-01-02T03:04:05.161Z",
  exit_code: 0,
  signal: null,
  image_digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  wall_ms: 158,
  queue_ms: 0,
  boot_ms: 2,
  warm: true,
  cpu_ms: { user: 60, system: 40 },
  peak_memory_mb: 31.5,
  stdout_bytes: 3,
  stderr_bytes: 0,
  stdout_truncated: false,
  stderr_truncated: false,
  network_usage: null,
  outputs: [],
  outputs_count: 0,
  warnings: [],
};

const running: Static<typeof RunView> = {
  ...ended,
  state: "running",
  status: null,
  started_at: null,
  ended_at: null,
  exit_code: null,
  image_digest: null,
  wall_ms: null,
  queue_ms: null,
  boot_ms: null,
  warm: null,
  cpu_ms: null,
  peak_memory_mb: null,
  stdout_bytes: null,
  stderr_bytes: null,
};

const badExecId = failure("The id is none.", {
  invalid_request: 'exec_id must be boxer-<uuid>, not "x"',
});
const unknownRun = failure("There is no such run, or no record of it any more.", {
  run_not_found: `There is no run ${exec_id}`,
});

const query = (name: string, schema: object, description: string) => ({
  name,
  in: "query" as const,
  required: false,
  schema,
  description,
});

/** `GET /runs` in the OpenAPI document. */
export const listRunsDetail = {
  summary: "List runs",
  description:
    "Runs that wait or are under way, and records of those that have ended: everything but their output. Records are " +
    "kept for `run_records_days`, `run_records_max` of them. Requests that were refused at once leave none.",
  tags: ["runs"],
  parameters: [
    query("status", { type: "string", enum: [...RECORD_STATUSES] }, "Only runs that ended so."),
    query(
      "image",
      { type: "string" },
      "Only runs of this image reference; `python` is `docker.io/library/python:latest`.",
    ),
    query(
      "limit",
      { type: "integer", minimum: 1, maximum: MAX_PAGE, default: 50 },
      "Most runs in the answer.",
    ),
    query("before", { type: "string" }, "`next` of an earlier answer: only runs that come after that page."),
  ],
  responses: {
    200: answer("The runs, newest first.", RunsResponse, {
      runs: [running, ended],
      next: `1767323045000.${exec_id}`,
    }),
    400: failure("The query is wrong.", {
      invalid_request: `limit must be a number from 1 to ${MAX_PAGE}`,
      invalid_image_reference: 'Cannot parse image reference "UPPER": the name must be in lower case',
    }),
    403: reboundRead,
  },
};

/** `GET /runs/{exec_id}` in the OpenAPI document. */
export const runStateDetail = {
  summary: "Look at a run",
  description: "A run that waits or is under way, or the record of one that has ended.",
  tags: ["runs"],
  responses: { 200: answer("The run.", RunView, ended), 400: badExecId, 403: reboundRead, 404: unknownRun },
};

/** `DELETE /runs/{exec_id}` in the OpenAPI document. */
export const stopRunDetail = {
  summary: "Stop a run",
  description:
    "Stops a run that waits or is under way. Its own client is answered 503 `canceled`, with what the program said until " +
    "then; or what it would be anyway, when the program has ended meanwhile. The answer here does not wait for that.",
  tags: ["runs"],
  responses: {
    202: answer("It is being stopped; its state until now.", RunView, running),
    400: badExecId,
    403: failure("A page of another site asks for it.", crossSite),
    404: unknownRun,
    409: failure("It has ended already.", { run_ended: `The run ${exec_id} has ended` }),
  },
};
