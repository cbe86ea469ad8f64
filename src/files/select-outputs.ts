import type { OutputEntry } from "./walk-outputs.ts";

/** How much of /output is kept. */
export interface OutputLimits {
  /** Of all files together, by their apparent size; each name of a hard-linked file counts. */
  readonly max_bytes: number;
  /** Regular files. */
  readonly max_files: number;
  /** Steps below /output: a file directly in it is at depth 1. */
  readonly max_depth: number;
}

export type OutputLimit = "bytes" | "files" | "depth";

/** Something in /output that is not kept. */
export interface SkippedOutput {
  /** Below /output; bytes that are no UTF-8 appear as U+FFFD. */
  readonly path: string;
  readonly reason: string;
}

/** A file that is kept. */
export interface SelectedOutput {
  /** Below /output. */
  readonly path: string;
  readonly size_bytes: number;
  readonly executable: boolean;
}

/** What is kept of /output, sorted by path, and what is not. */
export interface OutputSelection {
  readonly files: readonly SelectedOutput[];
  /** The first hundred of them. */
  readonly skipped: readonly SkippedOutput[];
  readonly limit_exceeded: OutputLimit | null;
}

const MAX_SKIPPED = 100;
const MAX_SHOWN_LENGTH = 255;
/** Directories, links and the like cost a walk too: so many entries for each file allowed, and some for good measure. */
const ENTRIES_PER_FILE = 10;
const SPARE_ENTRIES = 1000;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  l: "it is a symbolic link",
  p: "it is a fifo",
  s: "it is a socket",
  b: "it is a block device",
  c: "it is a character device",
};

/** Most entries of any kind that a run with so many files may leave; one more passes the limit of files. */
export function maxEntriesOf(max_files: number): number {
  return max_files * ENTRIES_PER_FILE + SPARE_ENTRIES;
}

/**
 * Chooses what to keep. Passing the limit of files ends the walk: kept is what came until then. A file that no longer
 * fits into the limit of bytes, and what is nested too deep, is left out, and the rest is still looked at.
 * @param max_path_bytes longest path below /output that can be stored
 */
export async function selectOutputs(
  entries: AsyncIterable<OutputEntry>,
  limits: OutputLimits,
  max_path_bytes: number,
): Promise<OutputSelection> {
  const files: SelectedOutput[] = [];
  const skipped: SkippedOutput[] = [];
  const finish = (limit_exceeded: OutputLimit | null): OutputSelection => ({
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    skipped,
    limit_exceeded,
  });
  const skip = (path: string, reason: string) => {
    if (skipped.length < MAX_SKIPPED) skipped.push({ path: path.slice(0, MAX_SHOWN_LENGTH), reason });
  };
  let examined = 0;
  let bytes = 0;
  let exceeded: OutputLimit | null = null;
  for await (const entry of entries) {
    examined += 1;
    if (examined > maxEntriesOf(limits.max_files)) return finish("files");
    if (entry.depth > limits.max_depth) exceeded ??= "depth";
    const { path, reason } = judge(entry, limits.max_depth, max_path_bytes);
    if (reason !== null) {
      skip(path, reason);
    } else if (entry.type === "f") {
      if (files.length === limits.max_files) return finish("files");
      if (bytes + entry.size_bytes > limits.max_bytes) {
        exceeded = "bytes";
        skip(path, `it does not fit into the limit of ${limits.max_bytes} bytes`);
        continue;
      }
      bytes += entry.size_bytes;
      files.push({ path, size_bytes: entry.size_bytes, executable: (entry.mode & 0o111) !== 0 });
    }
  }
  return finish(exceeded);
}

/** The path of an entry as text, and why it cannot be kept; a null reason for files and directories that can. */
function judge(
  entry: OutputEntry,
  max_depth: number,
  max_path_bytes: number,
): { path: string; reason: string | null } {
  const path = entry.path.toString();
  if (entry.depth > max_depth) return { path, reason: `it is nested deeper than ${max_depth} levels` };
  if (entry.type === "d") return { path, reason: null };
  if (entry.type !== "f") return { path, reason: TYPE_NAMES[entry.type] ?? "it is not a regular file" };
  if (entry.path.length > max_path_bytes) return { path, reason: "its path is too long" };
  if (!Buffer.from(path).equals(entry.path)) return { path, reason: "its name is not UTF-8" };
  return { path, reason: null };
}
