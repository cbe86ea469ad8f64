import { dlopen, ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import type { ChildInput } from "./platform.ts";

const O_CLOEXEC = 0o2000000;

/** Of fcntl(2). */
const F_SETPIPE_SZ = 1031;
/** What is read of a pipe at once. At its usual quarter of that, a guest with much to say stands still more often. */
const PIPE_BYTES = 1 << 18;

const libc = dlopen(`libc.so.6`, {
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
});

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
  // A user who has too many large pipes gets no more of them (pipe(7)), and this one does as it is.
  libc.symbols.fcntl(read, F_SETPIPE_SZ, PIPE_BYTES);
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

/**
 * Writes to a pipe, as much as its reader takes and the rest as it goes on, then closes it.
 * @param gone settles when there is nobody to write to any more; then it is closed as well
 */
export function writePipe(fd: number, gone: Promise<unknown>): ChildInput {
  const sink = Bun.file(fd).writer();
  // A broken pipe comes as a throw or as a rejection, by whether the write had to wait.
  const quietly = async (act: () => unknown) => {
    try {
      await act();
    } catch {}
  };
  let hasEnded = false;
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    void quietly(() => sink.end()).then(() => closeSync(fd));
  };
  gone.then(end, end);
  return {
    write(bytes) {
      if (hasEnded) return;
      void quietly(() => sink.write(bytes));
      void quietly(() => sink.flush());
    },
    end,
  };
}
