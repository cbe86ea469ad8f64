import { BoxerError, errnoOf, isDiskFull } from "../../core/errors.ts";
import { printable } from "../printable.ts";

/** What the file system answers only because of the names and links of a layer: the root is ours alone. */
const FAULTS_OF_THE_LAYER: ReadonlySet<string> = new Set([
  "EEXIST",
  "EILSEQ",
  "EISDIR",
  "ELOOP",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
]);

/** The error for an entry that says something impossible or refused; `reason` ends the sentence. */
export function invalidEntry(name: string, reason: string, cause?: unknown): BoxerError {
  return new BoxerError("image_invalid", `Cannot unpack "${printable(name)}": ${reason}`, { cause });
}

/** The error for a layer that is wrong as a whole; `reason` ends the sentence. */
export function invalidLayer(reason: string, cause?: unknown): BoxerError {
  return new BoxerError("image_invalid", `Cannot unpack layer: ${reason}`, { cause });
}

/**
 * What a failed system call says about the entry `name`: `disk_full`, `image_invalid` where the layer asked for the
 * impossible, else `internal`. The message has no path of the host. Anything without an errno comes back as it is.
 */
export function unpackError(error: unknown, name: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof BoxerError) return error;
  if (isDiskFull(error)) {
    return new BoxerError("disk_full", `Cannot unpack "${printable(name)}": no space left`, { cause: error });
  }
  if (FAULTS_OF_THE_LAYER.has(errno)) return invalidEntry(name, errno, error);
  return new BoxerError("internal", `Cannot unpack "${printable(name)}": ${errno}`, { cause: error });
}
