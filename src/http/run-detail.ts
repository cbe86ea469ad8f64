import type { ErrorCode } from "../core/errors.ts";
import { faultStatus } from "../run/records/fault-status.ts";
import { answer, answers, crossSite, ErrorSchema, failure } from "./detail.ts";
import { queueFullDetail } from "./queue-full-detail.ts";
import { RunResponse, StoppedRunResponse } from "./run-model.ts";

const example = {
  exec_id: "boxer-5e0f5f0e-6d5a-4a3e-9b0e-0d6e3f3f9b1c",
  exit_code: 0,
  stdout: "42\n",
  stderr: "",
  wall_ms: 158,
  status: "ok",
  signal: null,
  cpu_ms: { user: 60, system: 40 },
  peak_memory_mb: 31.5,
  stdout_truncated: false,
  stderr_truncated: false,
  queue_ms: 0,
  boot_ms: 2,
  warm: true,
  image_digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  network_usage: null,
  outputs: [],
  outputs_skipped: [],
  warnings: [],
};

/** Answers with 200, by status. */
const ended = {
  ok: example,
  nonzero_exit: {
    ...example,
    status: "nonzero_exit",
    exit_code: 1,
    stdout: "",
    stderr: "ValueError: no such answer\n",
  },
  signaled: { ...example, status: "signaled", exit_code: 139, signal: "SIGSEGV", stdout: "" },
  oom_killed: {
    ...example,
    status: "oom_killed",
    exit_code: 137,
    signal: "SIGKILL",
    peak_memory_mb: 256,
  },
  truncated: { ...example, stdout_truncated: true },
  networked: {
    ...example,
    warm: false,
    network_usage: {
      allowed_connections: 1,
      refused_connections: 0,
      bytes_in: 5120,
      bytes_out: 1340,
      dns_allowed: 2,
      dns_refused: 0,
    },
  },
};

const stopped = (status: string, error: string) => ({
  error,
  code: status,
  ...example,
  status,
  exit_code: 137,
  signal: "SIGKILL",
});

/** What a run without a result is answered. */
const fault = (code: ErrorCode, error: string) => ({
  error,
  code,
  exec_id: example.exec_id,
  status: faultStatus(code),
});

/** `POST /run` in the OpenAPI document. */
export const runDetail = {
  summary: "Run a command in a sandbox",
  description:
    "Runs one command in a fresh gVisor sandbox of the image and answers when it has ended. " +
    "A program that fails is a success of this call: look at `exit_code` and `status`.",
  tags: ["run"],
  responses: {
    200: answers("The command has ended, whatever its exit code.", RunResponse, ended),
    400: failure("The request is wrong; the message names the field.", {
      invalid_request: "cmd is required",
      invalid_json: "The request body is not valid JSON",
      invalid_path: "files[0]: cannot mount at /proc/x: /proc is reserved",
      unknown_file: "files[0]: there is no file workspace/script.py",
      invalid_image_reference: 'Cannot parse image reference "UPPER": repository names are lower case',
      network_unavailable: "network sandbox is not available on this server: the server lacks CAP_NET_ADMIN",
      limit_unenforceable: "limits.memory_mb (256) is not enforced: the server has no memory cgroup",
    }),
    403: failure("The operator does not allow it.", {
      network_not_allowed: "network host is not allowed by this server (allow_host_network)",
      user_not_allowed: "user 0 is root, which this server does not allow",
      image_not_allowed:
        'Image docker.io/library/x:1 is not allowed by this server: image_deny has "docker.io/**"',
      ...crossSite,
    }),
    408: answer(
      "The wall-clock limit passed; with what the program said until then.",
      StoppedRunResponse,
      stopped("timed_out", "The run passed its wall-clock limit"),
    ),
    413: failure("The body is too large.", {
      payload_too_large: "The request body is larger than 16777216 bytes (request_limit_bytes)",
    }),
    415: failure("The body is not JSON.", {
      unsupported_media_type: "Content-Type must be application/json, not text/plain",
    }),
    429: queueFullDetail,
    500: answers(
      "A fault of Boxer, its host or a registry; with `exec_id` and `status` `sandbox_error`.",
      ErrorSchema,
      {
        image_not_found: fault(
          "image_not_found",
          "Cannot pull docker.io/library/nosuch:latest: registry answered 404 MANIFEST_UNKNOWN",
        ),
        image_pull_failed: fault(
          "image_pull_failed",
          "Cannot pull registry.local:5000/x:y: connection refused",
        ),
        image_invalid: fault("image_invalid", "Cannot unpack layer sha256:…: it holds sparse files"),
        sandbox_crashed: fault("sandbox_crashed", "gVisor crashed while it ran the program"),
        sandbox_failed: fault("sandbox_failed", "runsc could not start the sandbox"),
        sandbox_not_started: fault(
          "sandbox_not_started",
          "gVisor made no sandbox in all the time that it may take",
        ),
        runsc_missing: fault("runsc_missing", "Cannot start /usr/bin/runsc"),
        disk_full: fault("disk_full", "The disk is full"),
        disk_not_writable: fault("disk_not_writable", "The disk fails"),
        internal: fault("internal", "Internal error"),
      },
    ),
    503: answers(
      "The run was canceled, with what the program said; or the server is shutting down, or its host exhausted.",
      ErrorSchema,
      {
        canceled: stopped("canceled", "The run was canceled"),
        host_exhausted: fault("host_exhausted", "The host can start no more processes"),
        draining: { error: "The server is shutting down and takes no new runs", code: "draining" },
      },
    ),
    507: answers(
      "stdout or stderr, or what lies in /output, passed its limit; with what was captured.",
      StoppedRunResponse,
      {
        output_limit: {
          ...stopped("output_limit", "The run wrote more to stdout or stderr than output_limit_bytes"),
          stdout_truncated: true,
        },
        output_files_limit: stopped(
          "output_files_limit",
          "The run left more in /output than output_files_limit_bytes or output_files_limit_count",
        ),
      },
    ),
  },
};
