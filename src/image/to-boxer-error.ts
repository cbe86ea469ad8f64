import { BoxerError, errnoOf, isDiskFull, messageOf } from "../core/errors.ts";

/**
 * What becomes of a failure of the image store: a BoxerError that begins with `what`. A new one each time, since several
 * callers may share the failure.
 */
export function toBoxerError(what: string, error: unknown): BoxerError {
  if (error instanceof BoxerError) {
    const { code, message, field } = error;
    return new BoxerError(code, `${what}: ${message}`, { cause: error, ...(field && { field }) });
  }
  const errno = errnoOf(error);
  const isFull = isDiskFull(error);
  // The message of a system error shows paths of the host.
  const why = isFull ? "no space left" : (errno ?? messageOf(error));
  return new BoxerError(isFull ? "disk_full" : "internal", `${what}: ${why}`, { cause: error });
}
