import { answer, failure } from "./detail.ts";
import { RunResponse, StoppedRunResponse } from "./run-model.ts";

const example = {
  exec_id: "boxer-5e0f5f0e-6d5a-4a3e-9b0e-0d6e3f3f9b1c",
  exit_code: 0,
  stdout: "42\n",
  stderr: "",
  wall_ms: 158,
  status: "ok",
  signal: null,
  stdout_truncated: false,
  stderr_truncated: false,
  queue_ms: 0,
  boot_ms: 2,
  image_digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  outputs: [],
  outputs_skipped: [],
};

const stopped = (status: string, error: string) => ({
  error,
  code: status,
  ...example,
  status,
  exit_code: 137,
  signal: "SIGKILL",
});

/** `POST /run` in the OpenAPI document. */
export const runDetail = {
  summary: "Run a command in a sandbox",
  description:
    "Runs one command in a fresh gVisor sandbox of the image and answers when it has ended. " +
    "A program that fails is a success of this call: look at `exit_code` and `status`.",
  tags: ["run"],
  responses: {
    200: answer("The command has ended, whatever its exit code.", RunResponse, example),
    400: failure("The request is wrong; the message names the field.", {
      invalid_request: "cmd is required",
      invalid_json: "The request body is not valid JSON",
      invalid_path: "files[0]: cannot mount at /proc/x: /proc is reserved",
      unknown_file: "files[0]: there is no file workspace/script.py",
      invalid_image_reference: 'Cannot parse image reference "UPPER": repository names are lower case',
      network_unavailable: "network sandbox is not available on this server",
    }),
    403: failure("The operator does not allow it.", {
      network_not_allowed: "network host is not allowed by this server",
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
    429: failure("Too many runs wait already; see Retry-After.", {
      queue_full: "All sandboxes are busy and 256 runs wait already",
    }),
    500: failure("A fault of Boxer, its host or a registry.", {
      image_not_found: "Cannot pull docker.io/library/nosuch:latest: registry answered 404 MANIFEST_UNKNOWN",
      image_pull_failed: "Cannot pull registry.local:5000/x:y: connection refused",
      image_invalid: "Cannot unpack layer sha256:…: it holds sparse files",
      sandbox_crashed: "gVisor crashed while it ran the program",
      sandbox_failed: "runsc could not start the sandbox",
      runsc_missing: "Cannot start /usr/bin/runsc",
      disk_full: "The disk is full",
      internal: "Internal error",
    }),
    503: failure("The server is shutting down; the first with what the program said until then.", {
      canceled: "The run was canceled",
      draining: "The server is shutting down and takes no new runs",
    }),
    507: answer(
      "stdout or stderr, or what lies in /output, passed its limit; with what was captured.",
      StoppedRunResponse,
      {
        ...stopped("output_limit", "The run wrote more to stdout or stderr than output_limit_bytes"),
        stdout_truncated: true,
      },
    ),
  },
};
