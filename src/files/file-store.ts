import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "../config/config.ts";
import { BoxerError } from "../core/errors.ts";
import { diskQuota } from "../platform/disk-quota.ts";
import type { FileBody } from "../platform/file-body.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { Admission } from "./admission.ts";
import type { CapturedOutputs } from "./capture-outputs.ts";
import { captureWithinQuota } from "./capture-within-quota.ts";
import { Catalogue, type FileList, type ListPage, type RemovedFiles } from "./catalogue.ts";
import { createMutex } from "./create-mutex.ts";
import { normalisePath, normaliseUploadPath, quoted } from "./file-path.ts";
import { countFiles } from "./find-files.ts";
import { type FileHold, Holds } from "./holds.ts";
import { Housekeeper } from "./housekeeper.ts";
import { removeEmptyDirectories } from "./remove-emptied.ts";
import type { OutputLimits } from "./select-outputs.ts";
import { stageFile, type TemporaryFile } from "./stage-file.ts";
import { expiryInterval, startExpiry } from "./start-expiry.ts";
import { StoreTree } from "./store-tree.ts";
import { StoreUsage } from "./store-usage.ts";
import { StoredFile } from "./stored-file.ts";

export type { CapturedOutputs } from "./capture-outputs.ts";
export type { FileList, ListedFile, ListPage, RemovedFiles } from "./catalogue.ts";
export type { FileHold } from "./holds.ts";

/** What uploads and outputs may take of the room that there is: images have most of it. */
const DISK_SHARE = 0.1;

/** What {@link openFileStore} needs. */
export interface FileStoreOptions {
  /** Directory of the files. Nobody else may change what is in it while the store is open. */
  readonly root: string;
  /** Directory for files on their way in, on the same file system; emptied when the store is opened. */
  readonly staging: string;
  readonly log: Logger;
  readonly platform: Pick<Platform, "spawn"> & { readonly fileBody: FileBody };
  readonly config: Pick<Config, "files_ttl_secs" | "files_quota_bytes" | "files_fsync">;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

/** A whole upload whose path may not be known yet. Exactly one of its methods is to be called. */
export interface StagedFile {
  readonly size_bytes: number;
  /**
   * Puts the file at a path, over one that may be there: readers see the old or the new one, whole.
   * @returns the normalised path
   * @throws BoxerError `invalid_path`, `disk_full`, `files_quota_exceeded`; then the file is gone
   */
  keepAs(path: string): Promise<string>;
  discard(): Promise<void>;
}

/** Uploaded files, and captured outputs below `output/`. Paths are relative and as {@link normalisePath} takes them. */
export interface FileStore {
  /**
   * Takes in a stream of unknown length and holds one chunk of it in memory.
   * @throws BoxerError `payload_too_large`, `disk_full`; whatever the source throws. Then nothing stays behind.
   */
  stage(source: AsyncIterable<Uint8Array>, limit_bytes: number): Promise<StagedFile>;
  /**
   * Opens a file for one reader, who goes on reading it when it is overwritten or removed meanwhile.
   * @throws BoxerError `invalid_path`, `not_found`
   */
  open(path: string): Promise<StoredFile>;
  /**
   * Pins files for a run as hard links in `directory`, which is on the store's file system. Overwriting or removing
   * them afterwards does not change what the run sees.
   * @throws BoxerError `invalid_path` or `unknown_file`, naming `files[i]`; then nothing is held
   */
  hold(paths: readonly string[], directory: string): Promise<FileHold>;
  /**
   * See {@link captureOutputs}: says what a dead run left in `source`, and with `keep` moves it to `output/{execId}`. What
   * would pass the quota is not kept, and told as skipped.
   */
  captureOutputs(
    source: string,
    execId: string,
    limits: OutputLimits,
    keep?: boolean,
  ): Promise<CapturedOutputs>;
  /**
   * Lists files by their paths, in the order of these (by UTF-16 code units).
   * @param prefix see {@link normalisePrefix}
   * @throws BoxerError `invalid_path`
   */
  list(prefix: string, page: ListPage): Promise<FileList>;
  /**
   * Removes a file. Runs that have it go on with it, and so do readers.
   * @throws BoxerError `invalid_path`
   */
  remove(path: string): Promise<RemovedFiles>;
  /**
   * Removes the files that {@link list} shows for a prefix, all at once for those who come later.
   * @throws BoxerError `invalid_path`, also for the prefix that is all files
   */
  removeBelow(prefix: string): Promise<RemovedFiles>;
  /**
   * The files that {@link list} shows for a prefix, as a tar archive with names below it. See {@link archiveFiles}.
   * @throws BoxerError `invalid_path`
   */
  archive(prefix: string): AsyncGenerator<Uint8Array>;
  /** What uploads and kept outputs take, and the most that they may; Infinity for no limit. */
  usage(): { readonly size_bytes: number; readonly quota_bytes: number };
  /** Ends the work in the background. */
  close(): Promise<void>;
}

/**
 * Opens a file store; makes its directories, counts what is there, and begins to remove what expires.
 * @throws what mkdir(2) and its like give
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { root, staging, log, platform, config, now = Date.now } = options;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  for (const name of await readdir(staging)) await removeTree(join(staging, name), platform);
  await removeEmptyDirectories(platform, root);

  const used = await countFiles(platform, root);
  const usage = new StoreUsage(
    used.bytes,
    await diskQuota(config.files_quota_bytes, DISK_SHARE, root, used.bytes),
  );
  const tree = new StoreTree(root, usage);
  const exclusively = createMutex();
  const holds = new Holds(tree, exclusively);
  const housekeeper = new Housekeeper({ root, tree, holds, usage, exclusively, platform, log, now });
  const admission = new Admission({ tree, usage, exclusively, housekeeper, fsync: config.files_fsync });
  const catalogue = new Catalogue({ root, staging, tree, usage, exclusively, platform });
  const stopExpiry = startExpiryOf(housekeeper, config.files_ttl_secs, now, log);

  return {
    stage: async (source, limit_bytes) =>
      stagedFile(await stageFile(staging, source, limit_bytes, config.files_fsync), admission),
    async open(text) {
      const path = normalisePath(text);
      const handle = await tree.open(path);
      if (!handle) throw new BoxerError("not_found", `There is no file ${quoted(path)}`, { field: "path" });
      return StoredFile.of(handle, path, platform.fileBody);
    },
    hold: (paths, directory) => holds.hold(paths, directory),
    captureOutputs: (source, execId, limits, keep) =>
      captureWithinQuota({ platform, staging, log }, admission, { source, execId, limits, keep }),
    list: (prefix, page) => catalogue.list(prefix, page),
    remove: (path) => catalogue.remove(path),
    removeBelow: (prefix) => catalogue.removeBelow(prefix),
    archive: (prefix) => catalogue.archive(prefix),
    usage: () => ({ size_bytes: usage.size_bytes, quota_bytes: usage.quota_bytes }),
    close: stopExpiry,
  };
}

function startExpiryOf(
  housekeeper: Housekeeper,
  ttl_secs: number | null,
  now: () => number,
  log: Logger,
): () => Promise<void> {
  if (ttl_secs === null) return async () => {};
  const ttl_ms = 1000 * ttl_secs;
  return startExpiry((signal) => housekeeper.expire(now() - ttl_ms, signal), expiryInterval(ttl_ms), log);
}

function stagedFile({ path: temporary, size_bytes }: TemporaryFile, admission: Admission): StagedFile {
  const discard = () => rm(temporary, { force: true });
  const keepAs = async (text: string) => {
    try {
      const path = normaliseUploadPath(text);
      await admission.place(temporary, path);
      return path;
    } finally {
      await discard();
    }
  };
  return { size_bytes, keepAs, discard };
}
