import { BoxerError, isDiskFull } from "../core/errors.ts";

/** What to throw for a failed write: BoxerError `disk_full` when there was no room (ENOSPC, EDQUOT), else the error itself. */
export function diskFault(error: unknown): unknown {
  if (!isDiskFull(error)) return error;
  return new BoxerError("disk_full", "Cannot store the file: the disk is full", { cause: error });
}
