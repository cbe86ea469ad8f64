import { randomUUID } from "node:crypto";
import { constants, statfsSync } from "node:fs";
import { chmod, copyFile, lchown, mkdir, open, rename, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { diskFault } from "./disk-fault.ts";
import { OUTPUT_DIRECTORY } from "./file-path.ts";
import {
  type OutputLimit,
  type OutputLimits,
  type SelectedOutput,
  type SkippedOutput,
  selectOutputs,
} from "./select-outputs.ts";
import { walkOutputs } from "./walk-outputs.ts";

/** What a run left in /output. */
export interface CapturedOutputs {
  /** Sorted by path, which is `output/{exec_id}/{path below /output}`. */
  readonly outputs: readonly { readonly path: string; readonly size_bytes: number }[];
  /** What is not kept for what it is, the first hundred; by path below /output. */
  readonly skipped: readonly SkippedOutput[];
  /** The limit that was passed; what came until then is kept, and the rest is gone. */
  readonly limit_exceeded: OutputLimit | null;
}

/** Where captured files are gathered, and where they go. */
export interface CaptureParts {
  readonly platform: Pick<Platform, "spawn">;
  /** Directory for the tree while it is put together; on the file system of the store. */
  readonly staging: string;
  readonly log: Logger;
  /**
   * Moves the finished tree to its place in the store, or leaves it: then it is removed.
   * @param size_bytes of all files in it
   */
  publish(tree: string, path: string, size_bytes: number): Promise<void>;
}

/** Waiting for the disk is what moving files takes. */
const FILES_AT_ONCE = 16;
/** PATH_MAX of limits.h, with its NUL and the slash between directory and path. */
const PATH_MAX_BYTES = 4096 - 2;

/**
 * Takes the regular files out of a dead run's output directory and into the store. The files are moved one by one into
 * directories of our own making, so that nothing else the guest left there (links, devices, modes, owners) can come
 * along. The store has all of them or none. The directory is removed, unless something is mounted there: that goes with
 * its mount.
 * @param source the directory on the host; may be gone
 * @param keep false only says what is there
 * @throws BoxerError `internal` when the rest cannot be removed, `disk_full` when the store has no room; what rename(2)
 *   and its like give
 */
export async function captureOutputs(
  parts: CaptureParts,
  source: string,
  execId: string,
  limits: OutputLimits,
  keep = true,
): Promise<CapturedOutputs> {
  const state = await look(source);
  if (state === "empty") return { outputs: [], skipped: [], limit_exceeded: null };
  const tree = join(parts.staging, randomUUID());
  const prefix = `${OUTPUT_DIRECTORY}/${execId}`;
  try {
    const longest = Math.max(...[source, tree, prefix].map((directory) => Buffer.byteLength(directory)));
    const entries = walkOutputs(parts.platform, source, limits.max_depth + 1, (complaint) =>
      parts.log.warn({ exec_id: execId, complaint }, "part of the outputs cannot be read"),
    );
    const { files, skipped, limit_exceeded } = await selectOutputs(entries, limits, PATH_MAX_BYTES - longest);
    if (keep && files.length > 0) {
      await gather(files, source, tree);
      const size_bytes = files.reduce((sum, file) => sum + file.size_bytes, 0);
      await parts.publish(tree, prefix, size_bytes);
    }
    const outputs = files.map(({ path, size_bytes }) => ({ path: `${prefix}/${path}`, size_bytes }));
    return { outputs, skipped, limit_exceeded };
  } finally {
    await removeTree(tree, parts.platform);
    if (state !== "mount") await removeTree(source, parts.platform);
  }
}

/**
 * Most runs leave nothing, and for those no process has to look. Taking an empty directory away is the one sure test, but
 * of a tmpfs of its own: that is asked first, since rmdir(2) of a mount waits for locks that others hold for long.
 */
async function look(directory: string): Promise<"empty" | "filled" | "mount"> {
  try {
    if (isEmptyTmpfs(directory)) return "empty";
    await rmdir(directory);
    return "empty";
  } catch (error) {
    switch (errnoOf(error)) {
      case "ENOENT":
        return "empty";
      case "ENOTEMPTY":
        return "filled";
      case "EBUSY":
        return "mount";
      default:
        throw error;
    }
  }
}

/** Of statfs(2). */
const TMPFS_MAGIC = 0x01021994;

/** Whether a tmpfs is mounted there with nothing in it: the one inode is its root, which is so the directory. */
function isEmptyTmpfs(path: string): boolean {
  const { type, files, ffree } = statfsSync(path);
  return type === TMPFS_MAGIC && files - ffree === 1;
}

/** Moves files from one tree to another that is made for them. */
async function gather(files: readonly SelectedOutput[], source: string, tree: string): Promise<void> {
  const parents = new Set(files.map(({ path }) => dirname(`${tree}/${path}`)));
  for (const parent of parents) await mkdir(parent, { recursive: true, mode: 0o755 });
  for (let next = 0; next < files.length; next += FILES_AT_ONCE) {
    const batch = files.slice(next, next + FILES_AT_ONCE);
    const moved = await Promise.allSettled(
      batch.map(({ path, executable }) => move(`${source}/${path}`, `${tree}/${path}`, executable)),
    );
    const failure = moved.find((each) => each.status === "rejected");
    if (failure) throw diskFault(failure.reason);
  }
}

/** Renames a regular file, or copies it where it lies on another file system, and makes it ours. */
async function move(source: string, destination: string, executable: boolean): Promise<void> {
  try {
    await rename(source, destination);
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error;
    await copy(source, destination);
  }
  await disown(destination, executable);
}

const { COPYFILE_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** The kernel copies, nothing of the file comes into this process. */
async function copy(source: string, destination: string): Promise<void> {
  // Opened first, since copying by name would follow a link and wait for a fifo; so a change of the tree is no way out.
  const file = await open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    await copyFile(`/proc/self/fd/${file.fd}`, destination, COPYFILE_EXCL);
  } finally {
    await file.close();
  }
}

/**
 * Takes owner, set-user-ID bits and the like from a file of the guest's. It stays executable, for it may be the program
 * of the next run.
 */
async function disown(path: string, executable: boolean): Promise<void> {
  if (process.geteuid?.() === 0) await lchown(path, 0, 0);
  await chmod(path, executable ? 0o755 : 0o644);
}
