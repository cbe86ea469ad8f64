import { dlopen, ptr } from "bun:ffi";
import { closeSync } from "node:fs";

const O_CLOEXEC = 0o2000000;

const libc = dlopen(`libc.so.6`, { pipe2: { args: ["ptr", "i32"], returns: "i32" } });

/** The two ends of a pipe, as file descriptors. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/**
 * Makes a pipe (pipe(2)), close-on-exec. Bun's own "pipe" is a socket pair, and a socket cannot be opened again: in the
 * guest, `echo x > /dev/stderr` would fail with ENXIO.
 * @throws Error when the process is out of file descriptors
 */
export function makePipe(): Pipe {
  const ends = new Int32Array(2);
  if (libc.symbols.pipe2(ptr(ends), O_CLOEXEC) !== 0) {
    throw Object.assign(new Error("Cannot make a pipe: out of file descriptors"), { code: "EMFILE" });
  }
  const [read = -1, write = -1] = ends;
  return { read, write };
}

/** Reads a pipe to its end, then closes it; also when the reader stops early. */
export async function* readPipe(fd: number): AsyncGenerator<Uint8Array> {
  try {
    yield* Bun.file(fd).stream();
  } finally {
    closeSync(fd);
  }
}
