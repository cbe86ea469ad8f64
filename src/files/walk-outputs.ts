import type { Platform } from "../platform/platform.ts";
import { findRecords } from "./find-records.ts";

/** Something below a walked directory. */
export interface OutputEntry {
  /** As find(1) has it for `%y`: `f` regular file, `d` directory, `l` symbolic link, `p` fifo, `s` socket, `b`, `c` device. */
  readonly type: string;
  /** Apparent size (st_size): holes of a sparse file count. */
  readonly size_bytes: number;
  readonly mode: number;
  /** 1 for what lies directly in the directory. */
  readonly depth: number;
  /** Path below the directory: whatever bytes the guest chose, but no NUL and no leading slash. */
  readonly path: Buffer;
}

/** Numbers first, the path last: it may contain spaces. */
const FORMAT = "%y %s %m %d %P\\0";
const FIELD = /^(\S+) (\d+) (\d+) (\d+) /;
const LONGEST_NUMBERS = 64;

/**
 * Lists all that lies in a directory, in no particular order, without following symbolic links. find(1) does the walk,
 * so neither paths beyond PATH_MAX nor a directory with a million entries disturb this process. Stopping early ends it.
 * @param directory absolute path
 * @param max_depth deepest entries listed
 * @param onComplaint told what find could not read, when it walked to the end
 */
export async function* walkOutputs(
  platform: Pick<Platform, "spawn">,
  directory: string,
  max_depth: number,
  onComplaint: (stderr: string) => void,
): AsyncGenerator<OutputEntry> {
  const options = ["-mindepth", "1", "-maxdepth", String(max_depth), "-printf", FORMAT];
  for await (const record of findRecords(platform, [directory, ...options], onComplaint)) {
    yield parseEntry(record);
  }
}

function parseEntry(record: Buffer): OutputEntry {
  const numbers = FIELD.exec(record.toString("latin1", 0, LONGEST_NUMBERS));
  if (!numbers)
    throw new Error(`find wrote an unexpected line: ${JSON.stringify(record.toString("latin1"))}`);
  const [head, type = "", size, mode = "", depth] = numbers;
  return {
    type,
    size_bytes: Number(size),
    mode: Number.parseInt(mode, 8),
    depth: Number(depth),
    path: record.subarray(head.length),
  };
}
