import { BoxerError } from "../../src/core/errors.ts";
import type { EndedRun } from "../../src/run/run-observer.ts";
import type { RunResult } from "../../src/run/types.ts";
import { REQUEST } from "./run-parts.ts";

/** The result of a program that said nothing and did well. */
export const RESULT: RunResult = {
  exec_id: "boxer-1",
  status: "ok",
  exit_code: 0,
  signal: null,
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  stdout_truncated: false,
  stderr_truncated: false,
  wall_ms: 3,
  queue_ms: 1,
  boot_ms: 2,
  warm: false,
  cpu_ms: { user: 4, system: 5 },
  peak_memory_bytes: 6 << 20,
  network_usage: null,
  image_digest: `sha256:${"0".repeat(64)}`,
  outputs: [],
  outputs_skipped: [],
  warnings: [],
};

const BEGIN_MS = Date.now();

/** An exec id that tells its number. */
export function execId(number: number): string {
  return `boxer-00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** The end of run `number`, submitted that many ms after `begin_ms`. */
export function endedRun(number: number, changes: Partial<EndedRun> = {}, begin_ms = BEGIN_MS): EndedRun {
  const exec_id = execId(number);
  return {
    exec_id,
    request: REQUEST,
    client: "127.0.0.1",
    submitted_at_ms: begin_ms + number,
    ended_at_ms: begin_ms + number + 10,
    outcome: { result: { ...RESULT, exec_id } },
    ...changes,
  };
}

/** The end of a run that failed with a fault. */
export function failedRun(number: number, code: BoxerError["code"], message = "it failed"): EndedRun {
  return endedRun(number, { outcome: { error: new BoxerError(code, message) } });
}
