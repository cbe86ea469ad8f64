import { statfsSync } from "node:fs";
import type { Platform } from "../platform/platform.ts";
import { COMMAND_ENV, readBeginning } from "../platform/run-command.ts";
import type { Watch } from "./run-process.ts";

/** How much a run may have in /output at any time. */
export interface OutputRoom {
  /** Of all files together. */
  readonly max_bytes: number;
  /** Regular files: each may take one page beyond its bytes. */
  readonly max_files: number;
  /** Files, directories, links and the like; at least `max_files`. */
  readonly max_entries: number;
}

/** What st_blocks counts in, whatever the file system (stat(2)). */
const BLOCK_BYTES = 512;
/** What a file may take on disk beyond its size: one block of the usual file systems. */
const ROUNDING_BYTES = 4096;

/**
 * Watches how full /output is; what counts is the room that is taken, so holes of sparse files do not.
 * @param mounted whether the directory is a tmpfs that was given just more room than that: then one statfs(2) tells.
 *   A plain directory is walked, no further than to the first entry or byte too many.
 */
export function outputWatch(
  directory: string,
  room: OutputRoom,
  platform: Pick<Platform, "spawn">,
  mounted: boolean,
): Watch {
  const isFull = mounted ? () => isFileSystemFull(directory) : () => isTreeFull(directory, room, platform);
  return async () => ((await isFull()) ? "output_files_limit" : null);
}

function isFileSystemFull(path: string): boolean {
  const { bfree, ffree } = statfsSync(path);
  return bfree === 0 || ffree === 0;
}

/** find(1) walks: it neither holds this process up nor is it disturbed by paths beyond PATH_MAX. */
async function isTreeFull(
  directory: string,
  room: OutputRoom,
  platform: Pick<Platform, "spawn">,
): Promise<boolean> {
  const max_bytes = room.max_bytes + room.max_files * ROUNDING_BYTES;
  const child = platform.spawn(["find", directory, "-mindepth", "1", "-printf", "%b\\n"], {
    env: COMMAND_ENV,
  });
  const complaints = readBeginning(child.stderr);
  let entries = 0;
  let bytes = 0;
  try {
    for await (const blocks of numbersIn(child.stdout)) {
      entries += 1;
      bytes += blocks * BLOCK_BYTES;
      if (entries > room.max_entries || bytes > max_bytes) return true;
    }
    return false;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await complaints;
  }
}

/** The numbers that a stream has, one on each line. */
async function* numbersIn(stream: AsyncIterable<Uint8Array>): AsyncGenerator<number> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield Number(line);
  }
}
