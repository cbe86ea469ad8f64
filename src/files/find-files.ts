import type { Platform } from "../platform/platform.ts";
import { findRecords } from "./find-records.ts";

/** A regular file that was found. */
export interface FoundFile {
  /** Below the directory. */
  readonly path: string;
  readonly size_bytes: number;
  /** See `FileStatus`. */
  readonly changed_ms: number;
}

const FORMAT = "%C@ %s %P\\0";
const FIELD = /^(\S+) (\d+) /;

/**
 * Finds all regular files below a directory, in no particular order, without following symbolic links.
 * @param options.unchanged_since_ms only those whose inode did not change after this time
 * @param options.onComplaint told what could not be read
 */
export async function* findFiles(
  platform: Pick<Platform, "spawn">,
  directory: string,
  options: { unchanged_since_ms?: number; onComplaint: (stderr: string) => void },
): AsyncGenerator<FoundFile> {
  const { unchanged_since_ms, onComplaint } = options;
  const age =
    unchanged_since_ms === undefined ? [] : ["!", "-newerct", `@${(unchanged_since_ms / 1000).toFixed(3)}`];
  const args = ["-H", directory, "-mindepth", "1", "-type", "f", ...age, "-printf", FORMAT];
  for await (const record of findRecords(platform, args, onComplaint)) {
    const text = record.toString();
    const [head = "", changed, size] = FIELD.exec(text) ?? [];
    yield { path: text.slice(head.length), size_bytes: Number(size), changed_ms: 1000 * Number(changed) };
  }
}

/** Counts the regular files below a directory, and their bytes by apparent size. */
export async function countFiles(
  platform: Pick<Platform, "spawn">,
  directory: string,
): Promise<{ files: number; bytes: number }> {
  const count = { files: 0, bytes: 0 };
  const complaints: string[] = [];
  const found = findFiles(platform, directory, { onComplaint: (complaint) => complaints.push(complaint) });
  for await (const { size_bytes } of found) {
    count.files += 1;
    count.bytes += size_bytes;
  }
  if (complaints.length > 0) throw new Error(`Cannot count the files in ${directory}: ${complaints.join()}`);
  return count;
}
