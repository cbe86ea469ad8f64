import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { BoxerError } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { archiveFiles } from "./archive-files.ts";
import type { Mutex } from "./create-mutex.ts";
import { normalisePath, normalisePrefix } from "./file-path.ts";
import { countFiles } from "./find-files.ts";
import type { StoreTree } from "./store-tree.ts";
import type { StoreUsage } from "./store-usage.ts";
import { walkFiles } from "./walk-files.ts";

/** A file of the store as a list has it. */
export interface ListedFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly modified_ms: number;
  /** When it was last written, or a run last began or ended with it. */
  readonly used_ms: number;
}

/** A part of all files. */
export interface FileList {
  readonly files: readonly ListedFile[];
  /** To be given as `after` for those that follow; undefined when there are none. */
  readonly next: string | undefined;
}

/** Which part of the files is wanted. */
export interface ListPage {
  /** Only those whose paths sort behind this. */
  readonly after: string;
  readonly limit: number;
}

/** What was removed. */
export interface RemovedFiles {
  readonly files: number;
  readonly bytes: number;
}

/** What a {@link Catalogue} works with. */
export interface CatalogueParts {
  readonly root: string;
  /** Directory for trees on their way out, on the same file system. */
  readonly staging: string;
  readonly tree: StoreTree;
  readonly usage: StoreUsage;
  /** Guards every change of the tree. */
  readonly exclusively: Mutex;
  readonly platform: Pick<Platform, "spawn">;
}

const NOTHING: RemovedFiles = { files: 0, bytes: 0 };

/** Shows and removes files of a store by their paths, one or many. */
export class Catalogue {
  readonly #parts: CatalogueParts;

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
  }

  /** See `FileStore.list`. */
  async list(text: string, { after, limit }: ListPage): Promise<FileList> {
    const files: ListedFile[] = [];
    for await (const path of this.#below(normalisePrefix(text), after)) {
      if (files.length === limit) return { files, next: files.at(-1)?.path };
      const status = await this.#parts.tree.status(path);
      if (!status) continue;
      const { size_bytes, modified_ms, changed_ms } = status;
      files.push({ path, size_bytes, modified_ms, used_ms: changed_ms });
    }
    return { files, next: undefined };
  }

  /** See `FileStore.remove`. */
  async remove(text: string): Promise<RemovedFiles> {
    const path = normalisePath(text);
    const { exclusively, tree } = this.#parts;
    const bytes = await exclusively(() => tree.remove(path, () => true));
    return bytes === undefined ? NOTHING : { files: 1, bytes };
  }

  /** See `FileStore.removeBelow`. */
  async removeBelow(text: string): Promise<RemovedFiles> {
    const path = normalisePrefix(text);
    if (path === "") {
      const message = "Cannot remove below an empty prefix: it stands for all files";
      throw new BoxerError("invalid_path", message, { field: "prefix" });
    }
    const { exclusively, tree, staging, usage, platform } = this.#parts;
    const doomed = join(staging, randomUUID());
    if (!(await exclusively(() => tree.takeDirectory(path, doomed)))) return this.remove(path);
    // What cannot be removed stays counted, until the next start clears it away.
    const removed = await countFiles(platform, doomed);
    await removeTree(doomed, platform);
    usage.size_bytes -= removed.bytes;
    return removed;
  }

  /** See `FileStore.archive`. */
  archive(text: string): AsyncGenerator<Uint8Array> {
    const prefix = normalisePrefix(text);
    // A prefix that is a file has nothing below it: that file keeps its own name.
    const nameOf = (path: string) =>
      path.slice(path === prefix ? path.lastIndexOf("/") + 1 : prefix === "" ? 0 : prefix.length + 1);
    return archiveFiles(this.#parts.tree, this.#below(prefix, ""), nameOf);
  }

  async *#below(prefix: string, after: string): AsyncGenerator<string> {
    if (prefix !== "" && (await this.#parts.tree.status(prefix))) {
      if (prefix > after) yield prefix;
      return;
    }
    yield* walkFiles(this.#parts.root, prefix, after);
  }
}
