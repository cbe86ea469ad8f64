import { join, posix } from "node:path";

/**
 * Where the guest finds what only its first program may see. In /dev there is nothing of the image, nor can an input be
 * there; and unlike in the root, which is an overlay, nothing remains of a directory that has been removed.
 */
const GUEST_CONTROL = "/dev/.boxer";

/** The places of the control directory in the guest, all gone when the command starts. */
export const guestControl = {
  directory: GUEST_CONTROL,
  /** Mounted read-only. */
  in: posix.join(GUEST_CONTROL, "in"),
  init: posix.join(GUEST_CONTROL, "in", "init"),
  inputs: posix.join(GUEST_CONTROL, "in", "inputs"),
  /** Mounted writable. */
  out: posix.join(GUEST_CONTROL, "out"),
  report: posix.join(GUEST_CONTROL, "out", "report"),
} as const;

/** The same places on the host. */
export interface ControlDirectory {
  readonly in: string;
  /** What `guestInit` gives, mode 0755. */
  readonly init: string;
  /** The input files of a request, put there before its tape is written, under names that nothing has had there. */
  readonly inputs: string;
  readonly out: string;
  /** An empty file, for `parseReport`. */
  readonly report: string;
}

/**
 * Lays out a control directory; touches nothing.
 * @param inPath the part that the guest only reads: on the file system of the files that are linked into it
 */
export function controlDirectoryAt(path: string, inPath: string): ControlDirectory {
  return {
    in: inPath,
    init: join(inPath, "init"),
    inputs: join(inPath, "inputs"),
    out: join(path, "out"),
    report: join(path, "out", "report"),
  };
}
