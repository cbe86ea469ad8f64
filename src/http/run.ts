import { Elysia } from "elysia";
import type { Runner } from "../run/runner.ts";
import type { RunResult, RunStatus } from "../run/types.ts";
import type { OutputListener } from "../sandbox/run-process.ts";
import { clientOf } from "./client-of.ts";
import { connectionOf } from "./connections.ts";
import { STATUS_OF } from "./errors.ts";
import { readJsonBody } from "./json-body.ts";
import { JsonText, jsonResponse } from "./json-text.ts";
import { runDetail } from "./run-detail.ts";
import { RunBody, toRunRequest, toRunResponse } from "./run-model.ts";
import { wireSchema } from "./wire-schema.ts";

/** What a run that Boxer had to stop says, by its status; the others are plain successes. */
const STOPPED: Partial<Record<RunStatus, string>> = {
  timed_out: "The run passed its wall-clock limit",
  output_limit: "The run wrote more to stdout or stderr than output_limit_bytes",
  output_files_limit:
    "The run left more in /output than output_files_limit_bytes or output_files_limit_count",
  canceled: "The run was canceled",
};

const runBody = wireSchema(RunBody);

/** `POST /run`. */
export function runRoutes(options: {
  runner: Runner;
  request_limit_bytes: number;
  client_header: string | undefined;
}) {
  return new Elysia({ name: "run" }).post(
    "/run",
    async ({ body, request }) => {
      // The body is here; from now on the program may be silent for its whole wall clock.
      connectionOf(request)?.keepAlive();
      const texts = { stdout: new JsonText(), stderr: new JsonText() };
      const onOutput: OutputListener = (stream, chunk, kept) => texts[stream].add(chunk, kept);
      const client = clientOf(request, options);
      const result = await options.runner.submit(toRunRequest(body), request.signal, client, { onOutput });
      return runResponse(result, texts);
    },
    {
      body: runBody,
      // The first parser takes every body; the second only tells the OpenAPI document what it is.
      parse: [({ request }) => readJsonBody(request, options.request_limit_bytes), "json"],
      detail: runDetail,
    },
  );
}

/** The HTTP form of a result: stopped runs are errors that carry all that was captured. */
function runResponse(result: RunResult, texts: Record<"stdout" | "stderr", JsonText>): Response {
  const stdout = texts.stdout.end(result.stdout, result.stdout_truncated);
  const stderr = texts.stderr.end(result.stderr, result.stderr_truncated);
  const body = toRunResponse(result, stdout, stderr);
  const error = STOPPED[result.status];
  if (error === undefined) return jsonResponse(body);
  const code = result.status as keyof typeof STATUS_OF;
  return jsonResponse({ error, code, ...body }, STATUS_OF[code]);
}
