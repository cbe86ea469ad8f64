import Type, { type Static } from "typebox";
import type { RunLimits } from "../config/config.ts";
import { nullable } from "../core/nullable.ts";
import {
  type RecordStatus,
  type RequestFacts,
  type RunRecord,
  requestFacts,
} from "../run/records/run-record.ts";
import type { ActiveRun, RunPhase } from "../run/run-observer.ts";
import { NetworkUsage } from "./network-model.ts";
import { Cpu, RUN_STATUSES, toMegabytes } from "./run-model.ts";

/** Every status of a run that has ended, with or without a result. */
export const RECORD_STATUSES = [
  ...RUN_STATUSES,
  "sandbox_error",
  "refused",
] as const satisfies RecordStatus[];

const time = (description: string) => nullable(Type.String({ format: "date-time" }), description);
const texts = (description: string) => Type.Array(Type.String(), { description });
const limit = Type.Union([Type.Number(), Type.Null()]);

/** A run under way or ended, on the wire: all but its output. */
export const RunView = Type.Object({
  exec_id: Type.String(),
  state: Type.Enum(["queued", "preparing", "running", "capturing", "ended"] satisfies (RunPhase | "ended")[]),
  status: nullable(
    Type.Enum(RECORD_STATUSES),
    "As in the answer of `POST /run`, or `sandbox_error` (a fault of Boxer, its host or a registry) or `refused` (for " +
      "what the request asked); null until the run has ended.",
  ),
  error: nullable(
    Type.Object({ code: Type.String(), message: Type.String() }),
    "What a run without a result failed of.",
  ),
  image: Type.String({ description: "As the client wrote it." }),
  image_digest: nullable(Type.String(), "Of the image that it ran with."),
  cmd: texts("argv."),
  env_names: texts("Names of the request's environment. Values are never kept: secrets are among them."),
  cwd: nullable(Type.String(), "As requested."),
  user: nullable(Type.String(), "As requested."),
  files: texts("Paths of uploaded and inline files."),
  limits: Type.Object(
    { cpu_cores: limit, memory_mb: limit, wall_clock_secs: limit, pids_limit: limit, nofile: limit },
    { description: "In force, with the defaults filled in; null: none." },
  ),
  network: Type.Enum(["none", "sandbox", "host"]),
  persist: Type.Boolean(),
  on_output_limit: Type.Enum(["fail", "truncate"]),
  shortened: texts("Names of the fields above of which only the beginning is here."),
  client: Type.String({ description: "Who asked." }),
  submitted_at: Type.String({ format: "date-time" }),
  started_at: time("When the sandbox was started."),
  ended_at: time("When the answer was known."),
  exit_code: nullable(
    Type.Integer(),
    "As in the answer of `POST /run`, like all below; null without a result.",
  ),
  signal: nullable(Type.String(), "Of the program's end."),
  wall_ms: nullable(Type.Integer(), "Of the sandbox."),
  queue_ms: nullable(Type.Integer(), "Waiting."),
  boot_ms: nullable(Type.Integer(), "Preparing."),
  warm: nullable(Type.Boolean(), "Whether the sandbox had been booted ahead."),
  cpu_ms: Cpu,
  peak_memory_mb: nullable(Type.Number(), "Most memory."),
  stdout_bytes: nullable(Type.Integer(), "Size of `stdout` in the answer."),
  stderr_bytes: nullable(Type.Integer(), "Size of `stderr` in the answer."),
  stdout_truncated: Type.Boolean(),
  stderr_truncated: Type.Boolean(),
  network_usage: NetworkUsage,
  outputs: Type.Array(Type.Object({ path: Type.String(), size_bytes: Type.Integer() }), {
    description: "The first files found in /output.",
  }),
  outputs_count: Type.Integer({ description: "All of them." }),
  warnings: texts("What was not as the request could expect."),
});

/** The answer of `GET /runs`. */
export const RunsResponse = Type.Object({
  runs: Type.Array(RunView, { description: "Those submitted last come first." }),
  next: nullable(Type.String(), "For `before`, to go on after the last one; null when there are no more."),
});

/** From the domain to the wire. */
export function activeView(run: ActiveRun, defaults: RunLimits): Static<typeof RunView> {
  const { exec_id, phase, client, submitted_at_ms } = run;
  return {
    exec_id,
    state: phase,
    status: null,
    error: null,
    ...factsView(requestFacts(run.request, defaults)),
    client,
    submitted_at: iso(submitted_at_ms),
    started_at: null,
    ended_at: null,
    ...resultView(null),
  };
}

/** From the domain to the wire. */
export function recordView(record: RunRecord): Static<typeof RunView> {
  return {
    exec_id: record.exec_id,
    state: "ended",
    status: record.status,
    error: record.error && { ...record.error },
    ...factsView(record),
    client: record.client,
    submitted_at: iso(record.submitted_at_ms),
    started_at: record.started_at_ms === null ? null : iso(record.started_at_ms),
    ended_at: iso(record.ended_at_ms),
    ...resultView(record.result),
  };
}

function factsView(facts: RequestFacts) {
  return {
    image: facts.image,
    cmd: [...facts.cmd],
    env_names: [...facts.env_names],
    cwd: facts.cwd,
    user: facts.user,
    files: [...facts.files],
    limits: facts.limits,
    network: facts.network ?? "none",
    persist: facts.persist,
    on_output_limit: facts.on_output_limit,
    shortened: [...facts.shortened],
  };
}

function resultView(result: RunRecord["result"]) {
  return {
    exit_code: result?.exit_code ?? null,
    signal: result?.signal ?? null,
    image_digest: result?.image_digest ?? null,
    wall_ms: result?.wall_ms ?? null,
    queue_ms: result?.queue_ms ?? null,
    boot_ms: result?.boot_ms ?? null,
    warm: result?.warm ?? null,
    cpu_ms: result?.cpu_ms ?? null,
    peak_memory_mb: toMegabytes(result?.peak_memory_bytes ?? null),
    stdout_bytes: result?.stdout_bytes ?? null,
    stderr_bytes: result?.stderr_bytes ?? null,
    stdout_truncated: result?.stdout_truncated ?? false,
    stderr_truncated: result?.stderr_truncated ?? false,
    network_usage: result?.network_usage ?? null,
    outputs: [...(result?.outputs ?? [])],
    outputs_count: result?.outputs_count ?? 0,
    warnings: [...(result?.warnings ?? [])],
  };
}

function iso(time_ms: number): string {
  return new Date(time_ms).toISOString();
}
