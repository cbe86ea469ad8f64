import { type Config, type RunLimits, resolveLimits } from "../../config/config.ts";
import { parseReference } from "../../image/reference.ts";
import type { EndedRun } from "../run-observer.ts";
import type { CapturedOutput, CpuTime, RunRequest, RunResult, RunStatus } from "../types.ts";
import { type FaultStatus, faultStatus } from "./fault-status.ts";
import { shortenList, shortenText } from "./shorten.ts";

/** How a recorded run ended. */
export type RecordStatus = RunStatus | FaultStatus;

/** What is told of a run's request, ended or not; bounded, and without values that may be secrets. */
export interface RequestFacts {
  /** As the client wrote it. */
  readonly image: string;
  readonly cmd: readonly string[];
  /** Names only: values are where clients put their secrets. */
  readonly env_names: readonly string[];
  readonly cwd: string | null;
  readonly user: string | null;
  /** Uploaded and inline ones. */
  readonly files: readonly string[];
  /** With the defaults filled in. */
  readonly limits: RunLimits;
  /** Records of earlier versions lack it: their runs had none. */
  readonly network?: RunRequest["network"];
  readonly persist: boolean;
  readonly on_output_limit: "fail" | "truncate";
  /** Names of the fields above that are longer in truth. */
  readonly shortened: readonly string[];
}

/** All that is kept of a run that has ended: everything but its output. Times are since 1970-01-01. */
export interface RunRecord extends RequestFacts {
  readonly exec_id: string;
  readonly client: string;
  readonly submitted_at_ms: number;
  /** When the sandbox was started; null when it never was. */
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number;
  readonly status: RecordStatus;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Null for a run without a result. */
  readonly result: ResultFacts | null;
}

/** What is kept of a result. */
export interface ResultFacts
  extends Pick<
    RunResult,
    | "exit_code"
    | "signal"
    | "wall_ms"
    | "queue_ms"
    | "boot_ms"
    | "warm"
    | "cpu_ms"
    | "peak_memory_bytes"
    | "image_digest"
    | "stdout_truncated"
    | "stderr_truncated"
    | "warnings"
  > {
  readonly cpu_ms: CpuTime | null;
  /** Records of earlier versions lack it. */
  readonly network_usage?: RunResult["network_usage"];
  /** Of what was answered. */
  readonly stdout_bytes: number;
  readonly stderr_bytes: number;
  /** The first ones. */
  readonly outputs: readonly CapturedOutput[];
  readonly outputs_count: number;
}

/** What is kept of each; the README names these numbers. */
const CMD = { max_items: 256, max_chars: 4096 };
const NAMES = { max_items: 256, max_chars: 4096 };
const FILES = { max_items: 100, max_chars: 4096 };
const WARNINGS = { max_items: 20, max_chars: 2048 };
const MAX_OUTPUTS = 20;
const MAX_TEXT_CHARS = 1024;

/** Makes the record of a run. Pure. */
export function recordOf(run: EndedRun, defaults: Config["defaults"]): RunRecord {
  const { exec_id, client, submitted_at_ms, ended_at_ms, outcome } = run;
  const facts = {
    exec_id,
    client: shortenText(client, MAX_TEXT_CHARS),
    submitted_at_ms,
    ended_at_ms,
    ...requestFacts(run.request, defaults),
  };
  if ("result" in outcome) {
    const { status, queue_ms, boot_ms } = outcome.result;
    const started_at_ms = submitted_at_ms + queue_ms + boot_ms;
    return { ...facts, started_at_ms, status, error: null, result: resultFacts(outcome.result) };
  }
  const { code, message } = outcome.error;
  const error = { code, message: shortenText(message, MAX_TEXT_CHARS) };
  return { ...facts, started_at_ms: null, status: faultStatus(code), error, result: null };
}

/** What is told of a request. Pure. */
export function requestFacts(request: RunRequest, defaults: Config["defaults"]): RequestFacts {
  const full = {
    image: request.image,
    cmd: request.cmd,
    env_names: request.env.slice(0, NAMES.max_items + 1).map((entry) => entry.split("=", 1)[0] ?? ""),
    cwd: request.cwd ?? null,
    user: request.user ?? null,
    files: [...request.files, ...request.inlineFiles.map(({ path }) => path)],
  };
  const kept = {
    image: shortenText(full.image, MAX_TEXT_CHARS),
    cmd: shortenList(full.cmd, CMD),
    env_names: shortenList(full.env_names, NAMES),
    cwd: full.cwd === null ? null : shortenText(full.cwd, MAX_TEXT_CHARS),
    user: full.user,
    files: shortenList(full.files, FILES),
  };
  const keys = Object.keys(full) as (keyof typeof full)[];
  return {
    ...kept,
    limits: resolveLimits(request.limits, defaults, "default"),
    network: request.network,
    persist: request.persist,
    on_output_limit: request.onOutputLimit,
    shortened: keys.filter((key) => isShortened(full[key], kept[key])),
  };
}

function isShortened(
  full: string | readonly string[] | null,
  kept: string | readonly string[] | null,
): boolean {
  if (typeof full === "string" || full === null) return kept !== full;
  return kept?.length !== full.length || kept.at(-1) !== full.at(-1);
}

/** The one spelling of an image's name by which runs are looked for; what cannot be parsed stays as it is. Pure. */
export function imageKey(image: string): string {
  try {
    return parseReference(image).text;
  } catch {
    return shortenText(image, MAX_TEXT_CHARS);
  }
}

function resultFacts(result: RunResult): ResultFacts {
  return {
    exit_code: result.exit_code,
    signal: result.signal,
    wall_ms: result.wall_ms,
    queue_ms: result.queue_ms,
    boot_ms: result.boot_ms,
    warm: result.warm,
    cpu_ms: result.cpu_ms,
    peak_memory_bytes: result.peak_memory_bytes,
    image_digest: result.image_digest,
    network_usage: result.network_usage,
    stdout_bytes: result.stdout.byteLength,
    stderr_bytes: result.stderr.byteLength,
    stdout_truncated: result.stdout_truncated,
    stderr_truncated: result.stderr_truncated,
    outputs: result.outputs
      .slice(0, MAX_OUTPUTS)
      .map(({ path, size_bytes }) => ({ path: shortenText(path, MAX_TEXT_CHARS), size_bytes })),
    outputs_count: result.outputs.length,
    warnings: shortenList(result.warnings, WARNINGS),
  };
}
