import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { BoxerError } from "../core/errors.ts";
import type { FileBody } from "../platform/file-body.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { type CapturedOutputs, captureOutputs } from "./capture-outputs.ts";
import { createMutex } from "./create-mutex.ts";
import { normalisePath, normaliseUploadPath, OUTPUT_DIRECTORY, quoted } from "./file-path.ts";
import { type FileHold, Holds } from "./holds.ts";
import type { OutputLimits } from "./select-outputs.ts";
import { stageFile, type TemporaryFile } from "./stage-file.ts";
import { StoreTree } from "./store-tree.ts";
import { StoredFile } from "./stored-file.ts";

export type { CapturedOutputs } from "./capture-outputs.ts";
export type { FileHold } from "./holds.ts";

/** What {@link openFileStore} needs. */
export interface FileStoreOptions {
  /** Directory of the files. Nobody else may change what is in it while the store is open. */
  readonly root: string;
  /** Directory for files on their way in, on the same file system; emptied when the store is opened. */
  readonly staging: string;
  readonly log: Logger;
  readonly platform: Pick<Platform, "spawn"> & { readonly fileBody: FileBody };
}

/** A whole upload whose path may not be known yet. Exactly one of its methods is to be called. */
export interface StagedFile {
  readonly size_bytes: number;
  /**
   * Puts the file at a path, over one that may be there: readers see the old or the new one, whole.
   * @returns the normalised path
   * @throws BoxerError `invalid_path`, `disk_full`; then the file is gone
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
  /** See {@link captureOutputs}: says what a dead run left in `source`, and with `keep` moves it to `output/{execId}`. */
  captureOutputs(
    source: string,
    execId: string,
    limits: OutputLimits,
    keep?: boolean,
  ): Promise<CapturedOutputs>;
  /** Removes the captured outputs of a run, if there are any. They vanish at once; the work is done when it settles. */
  removeOutputs(execId: string): Promise<void>;
}

/**
 * Opens a file store; makes its directories.
 * @throws what mkdir(2) and its like give
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { root, staging, log, platform } = options;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  for (const name of await readdir(staging)) await removeTree(join(staging, name), platform);

  const tree = new StoreTree(root);
  const exclusively = createMutex();
  const holds = new Holds(tree, exclusively);

  const place = (temporary: string, path: string) => exclusively(() => tree.place(temporary, path));

  return {
    stage: async (source, limit_bytes) => stagedFile(await stageFile(staging, source, limit_bytes), place),
    async open(text) {
      const path = normalisePath(text);
      const handle = await tree.open(path);
      if (!handle) throw new BoxerError("not_found", `There is no file ${quoted(path)}`, { field: "path" });
      return StoredFile.of(handle, path, platform.fileBody);
    },
    hold: (paths, directory) => holds.hold(paths, directory),
    captureOutputs(source, execId, limits, keep) {
      const publish = (made: string, path: string) =>
        exclusively(() => tree.placeDirectory(made, normalisePath(path)));
      return captureOutputs({ platform, staging, log, publish }, source, execId, limits, keep);
    },
    async removeOutputs(execId) {
      const path = normalisePath(`${OUTPUT_DIRECTORY}/${execId}`);
      const doomed = join(staging, randomUUID());
      await exclusively(() => tree.takeDirectory(path, doomed));
      await removeTree(doomed, platform);
    },
  };
}

function stagedFile(
  { path: temporary, size_bytes }: TemporaryFile,
  place: (temporary: string, path: string) => Promise<void>,
): StagedFile {
  const discard = () => rm(temporary, { force: true });
  const keepAs = async (text: string) => {
    try {
      const path = normaliseUploadPath(text);
      await place(temporary, path);
      return path;
    } finally {
      await discard();
    }
  };
  return { size_bytes, keepAs, discard };
}
