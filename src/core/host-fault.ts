import { BoxerError, type ErrorCode, errnoOf } from "./errors.ts";

/** What a system error says of the host, by its errno (errno(3)). */
const FAULTS: ReadonlyMap<string | undefined, readonly [ErrorCode, string]> = new Map([
  ["ENOSPC", ["disk_full", "The disk is full"]],
  ["EDQUOT", ["disk_full", "The disk is full"]],
  ["EROFS", ["disk_not_writable", "The home directory is on a read-only file system"]],
  ["EIO", ["disk_not_writable", "The disk fails"]],
  ["EMFILE", ["host_exhausted", "The server has too many open files"]],
  ["ENFILE", ["host_exhausted", "The host has too many open files"]],
  ["EAGAIN", ["host_exhausted", "The host can start no more processes"]],
  ["ENOMEM", ["host_exhausted", "The host has no memory left"]],
]);

/** The fault of the host that a system error stands for, or undefined where it is none that has a code of its own. */
export function hostFault(error: unknown): BoxerError | undefined {
  const [code, message] = FAULTS.get(errnoOf(error)) ?? [];
  return code && message ? new BoxerError(code, message, { cause: error }) : undefined;
}
