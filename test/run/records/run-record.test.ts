import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { imageKey, recordOf } from "../../../src/run/records/run-record.ts";
import type { RunRequest } from "../../../src/run/types.ts";
import { endedRun, failedRun, RESULT } from "../../support/ended-run.ts";
import { REQUEST } from "../../support/run-parts.ts";

const DEFAULTS = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };
const MAX_RECORD_BYTES = 64 * 1024;

const record = (changes: Partial<RunRequest>) =>
  recordOf(endedRun(1, { request: { ...REQUEST, ...changes } }), DEFAULTS);

describe("the record of a run", () => {
  test("tells what was asked, with the limits in force, and how it ended", () => {
    const run = endedRun(1, {}, 1_000);
    const { result, ...rest } = recordOf(run, DEFAULTS);
    assert.deepEqual(rest, {
      exec_id: run.exec_id,
      client: "127.0.0.1",
      submitted_at_ms: 1_001,
      started_at_ms: 1_004,
      ended_at_ms: 1_011,
      image: "local/fake:1",
      cmd: ["true"],
      env_names: [],
      cwd: null,
      user: null,
      files: [],
      limits: DEFAULTS,
      network: "none",
      persist: false,
      on_output_limit: "fail",
      shortened: [],
      status: "ok",
      error: null,
    });
    assert.deepEqual([result?.exit_code, result?.wall_ms, result?.cpu_ms], [0, 3, { user: 4, system: 5 }]);
  });

  test("fills in the defaults of limits that are not stated", () => {
    assert.deepEqual(record({ limits: { memory_mb: 7, nofile: 0, pids_limit: null } }).limits, {
      ...DEFAULTS,
      memory_mb: 7,
    });
  });

  test("holds no value of the environment, no standard input, no file and no output", () => {
    const secret = "hunter2";
    const bytes = new TextEncoder().encode(secret);
    const request: RunRequest = {
      ...REQUEST,
      env: [`TOKEN=${secret}`, `A==${secret}`],
      stdin: bytes,
      inlineFiles: [{ path: "f", content: bytes }],
    };
    const result = { ...RESULT, stdout: bytes, stderr: bytes };
    const kept = recordOf(endedRun(1, { request, outcome: { result } }), DEFAULTS);
    assert.ok(!JSON.stringify(kept).includes(secret));
    assert.deepEqual([kept.env_names, kept.files], [["TOKEN", "A"], ["f"]]);
    assert.deepEqual([kept.result?.stdout_bytes, kept.result?.stderr_bytes], [7, 7]);
  });

  test("of a fault has its code and message, and no result", () => {
    const { status, error, result, started_at_ms } = recordOf(
      failedRun(1, "sandbox_crashed", "boom"),
      DEFAULTS,
    );
    assert.deepEqual(
      [status, error, result, started_at_ms],
      ["sandbox_error", { code: "sandbox_crashed", message: "boom" }, null, null],
    );
  });

  test("is small, however large the request and the outputs are, and names what is shortened", () => {
    const long = "x".repeat(100_000);
    const many = Array.from({ length: 100_000 }, (_, index) => `A${index}=1`);
    const request: RunRequest = {
      ...REQUEST,
      image: long,
      cmd: ["echo", long],
      env: many,
      cwd: `/${long}`,
      files: many,
    };
    const result = {
      ...RESULT,
      outputs: many.map((path) => ({ path: path + long.slice(0, 4000), size_bytes: 1 })),
      warnings: [long],
    };
    const kept = recordOf(endedRun(1, { request, client: long, outcome: { result } }), DEFAULTS);
    assert.ok(JSON.stringify(kept).length < MAX_RECORD_BYTES, `${JSON.stringify(kept).length}`);
    assert.deepEqual(kept.shortened, ["image", "cmd", "env_names", "cwd", "files"]);
    assert.deepEqual([kept.result?.outputs.length, kept.result?.outputs_count], [20, 100_000]);
    const failed = recordOf(failedRun(1, "internal", long), DEFAULTS);
    assert.ok(JSON.stringify(failed).length < MAX_RECORD_BYTES);
  });

  test("names a list whose last item alone was cut", () => {
    assert.deepEqual(record({ cmd: ["x".repeat(5000)] }).shortened, ["cmd"]);
    assert.deepEqual(record({ cmd: ["x".repeat(4096)] }).shortened, []);
  });
});

test("images are looked for by their normalised names", () => {
  assert.equal(imageKey("python"), "docker.io/library/python:latest");
  assert.equal(imageKey("docker.io/library/python:latest"), "docker.io/library/python:latest");
  assert.equal(imageKey("NO SUCH"), "NO SUCH");
});
