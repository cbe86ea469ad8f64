import { Elysia } from "elysia";
import type { Logger } from "pino";
import { BoxerError, type ErrorCode, errnoOf, messageOf } from "../core/errors.ts";
import { hostFault } from "../core/host-fault.ts";
import { QueueFullError } from "../run/admission/queue-full-error.ts";
import { type FaultStatus, faultStatus } from "../run/records/fault-status.ts";

/** HTTP status of each fault (RFC 9110). */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_json: 400,
  invalid_path: 400,
  unknown_file: 400,
  invalid_image_reference: 400,
  network_unavailable: 400,
  limit_unenforceable: 400,
  cross_site: 403,
  network_not_allowed: 403,
  image_not_allowed: 403,
  user_not_allowed: 403,
  not_found: 404,
  run_not_found: 404,
  timed_out: 408,
  image_in_use: 409,
  run_ended: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  queue_full: 429,
  image_not_found: 500,
  image_pull_failed: 500,
  image_invalid: 500,
  sandbox_failed: 500,
  sandbox_not_started: 500,
  sandbox_crashed: 500,
  runsc_missing: 500,
  disk_full: 500,
  disk_not_writable: 500,
  internal: 500,
  canceled: 503,
  host_exhausted: 503,
  draining: 503,
  output_limit: 507,
  output_files_limit: 507,
  files_quota_exceeded: 507,
};

/** The body of every answer that is not a success. */
export interface ErrorBody {
  error: string;
  code: ErrorCode;
  /** The field at fault, where there is one. */
  field?: string;
  /** The run that failed, for a look into the log and at `GET /runs/{exec_id}`. */
  exec_id?: string;
  /** How that run is recorded. */
  status?: FaultStatus;
  /** Of a full queue: runs under way. */
  active?: number;
  /** Of a full queue: runs that wait. */
  queue_length?: number;
}

/**
 * Turns everything thrown into JSON. Comes before all routes: Elysia's hooks reach only what is registered after them.
 */
export function errorPlugin(log: Logger) {
  return new Elysia({ name: "errors" }).onError({ as: "global" }, ({ error, code, request }) => {
    const fault = faultOf(error, code, request);
    if (STATUS_OF[fault.code] >= 500) log.error({ err: error, code: fault.code }, fault.message);
    return errorResponse(fault);
  });
}

/** The answer for a fault; `status` where a route knows better than {@link STATUS_OF} whose fault it is. */
export function errorResponse(fault: BoxerError, status: number = STATUS_OF[fault.code]): Response {
  const { code, message, field, exec_id } = fault;
  const body: ErrorBody = {
    error: message,
    code,
    ...(field && { field }),
    ...(exec_id && { exec_id, status: faultStatus(code) }),
  };
  if (fault instanceof QueueFullError) {
    const { retry_after_secs, ...busy } = fault.busy;
    return Response.json({ ...body, ...busy }, { status, headers: { "retry-after": `${retry_after_secs}` } });
  }
  const headers: HeadersInit = code === "draining" ? { "retry-after": "1" } : {};
  return Response.json(body, { status, headers });
}

/** The message of a system error shows paths of the host: its errno must do. */
function faultOf(error: unknown, elysiaCode: unknown, request: Request): BoxerError {
  if (error instanceof BoxerError) return error;
  // Elysia wraps what a body parser throws.
  if (error instanceof Error && error.cause instanceof BoxerError) return error.cause;
  if (elysiaCode === "NOT_FOUND") {
    const { pathname } = new URL(request.url);
    return new BoxerError("not_found", `There is no ${request.method} ${pathname}`);
  }
  return (
    hostFault(error) ??
    new BoxerError("internal", `Internal error: ${errnoOf(error) ?? messageOf(error)}`, { cause: error })
  );
}
