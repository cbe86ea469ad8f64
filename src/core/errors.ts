/**
 * Every fault that Boxer itself can have, by its stable wire code. A program that fails inside the sandbox is
 * never one of these: it is a result. The HTTP status of each code is chosen in `http/errors.ts`.
 */
export type ErrorCode =
  // the request is wrong
  | "invalid_request"
  | "invalid_json"
  | "unsupported_media_type"
  | "payload_too_large"
  | "invalid_path"
  | "unknown_file"
  | "invalid_image_reference"
  | "image_not_allowed"
  | "image_in_use"
  | "cross_site"
  | "network_not_allowed"
  | "network_unavailable"
  | "user_not_allowed"
  | "limit_unenforceable"
  | "not_found"
  | "run_not_found"
  | "run_ended"
  | "range_not_satisfiable"
  // the run was stopped by a limit or by somebody
  | "timed_out"
  | "output_limit"
  | "output_files_limit"
  | "canceled"
  | "queue_full"
  | "draining"
  // ours or the host's
  | "image_not_found"
  | "image_pull_failed"
  | "image_invalid"
  | "sandbox_failed"
  | "sandbox_not_started"
  | "sandbox_crashed"
  | "runsc_missing"
  | "disk_full"
  | "files_quota_exceeded"
  | "disk_not_writable"
  | "host_exhausted"
  | "internal";

/** Options of a {@link BoxerError}. */
export interface BoxerErrorOptions {
  cause?: unknown;
  /** The request field or configuration key at fault, such as `limits.memory_mb`. */
  field?: string | undefined;
  exec_id?: string;
}

/** A fault with a stable code and a message fit to be shown to the client. */
export class BoxerError extends Error {
  override readonly name = "BoxerError";
  readonly code: ErrorCode;
  readonly field: string | undefined;
  /** The run that failed, where it was one. */
  readonly exec_id: string | undefined;

  constructor(code: ErrorCode, message: string, options: BoxerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.exec_id = options.exec_id;
  }

  /** The same fault as one run has it; several may share one cause. */
  ofRun(exec_id: string): BoxerError {
    return new BoxerError(this.code, this.message, { cause: this.cause, field: this.field, exec_id });
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, …) of a system error, or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof BoxerError || !(error instanceof Error && "code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether a system error says that there is no room: on the disk (ENOSPC), or within a quota (EDQUOT). */
export function isDiskFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "ENOSPC" || errno === "EDQUOT";
}
