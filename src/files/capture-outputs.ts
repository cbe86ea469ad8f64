import { randomUUID } from "node:crypto";
import { chmod, lchown, mkdir, rename, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
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
  /** Directory for the tree while it is put together; on the file system of the outputs. */
  readonly staging: string;
  readonly log: Logger;
  /** Moves the finished tree to its place in the store. */
  publish(tree: string, path: string): Promise<void>;
}

/** PATH_MAX of limits.h, with its NUL and the slash between directory and path. */
const PATH_MAX_BYTES = 4096 - 2;

/**
 * Takes the regular files out of a dead run's output directory and into the store. The files are moved one by one into
 * directories of our own making, never copied, so that nothing else the guest left there (links, devices, modes, owners)
 * can come along. The store has all of them or none. The directory is removed.
 * @param source the directory on the host; may be gone
 * @param keep false only says what is there
 * @throws BoxerError `internal` when the rest cannot be removed; what rename(2) and its like give
 */
export async function captureOutputs(
  parts: CaptureParts,
  source: string,
  execId: string,
  limits: OutputLimits,
  keep = true,
): Promise<CapturedOutputs> {
  if (await isEmpty(source)) return { outputs: [], skipped: [], limit_exceeded: null };
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
      await parts.publish(tree, prefix);
    }
    const outputs = files.map(({ path, size_bytes }) => ({ path: `${prefix}/${path}`, size_bytes }));
    return { outputs, skipped, limit_exceeded };
  } finally {
    await removeTree(tree, parts.platform);
    await removeTree(source, parts.platform);
  }
}

/** Most runs leave nothing, and for those no process has to look. Taking an empty directory away is the one sure test. */
async function isEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOTEMPTY") return false;
    if (errnoOf(error) === "ENOENT") return true;
    throw error;
  }
}

/** Moves files from one tree to another that is made for them. */
async function gather(files: readonly SelectedOutput[], source: string, tree: string): Promise<void> {
  const made = new Set<string>();
  for (const { path, executable } of files) {
    const destination = `${tree}/${path}`;
    const parent = dirname(destination);
    if (!made.has(parent)) await mkdir(parent, { recursive: true, mode: 0o755 });
    made.add(parent);
    await rename(`${source}/${path}`, destination);
    await disown(destination, executable);
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
