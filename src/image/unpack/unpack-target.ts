import { mkdir } from "node:fs/promises";
import { applyMetadata } from "./apply-metadata.ts";
import { DirectoryTree } from "./directory-tree.ts";
import { invalidLayer } from "./unpack-error.ts";

/** Bounds of a whole image, all its layers together. */
export interface UnpackLimits {
  /** Most bytes of its tar archives once decompressed, headers and padding included; no less than its files take. */
  readonly max_unpacked_bytes: number;
  /** Most entries of its archives, plus the directories that they leave out. */
  readonly max_entries: number;
}

/** A root file system in the making, made once per image by {@link createUnpackTarget}. */
export class UnpackTarget {
  readonly tree: DirectoryTree;
  readonly limits: UnpackLimits;
  #bytes = 0;
  #entries = 0;
  #skipped = 0;
  #xattrs = 0;

  constructor(root: string, limits: UnpackLimits) {
    this.tree = new DirectoryTree(root);
    this.limits = limits;
  }

  /** Device nodes and named pipes that were left out so far. */
  get skipped_entries(): number {
    return this.#skipped;
  }

  /** Extended attributes that were left out so far. */
  get skipped_xattrs(): number {
    return this.#xattrs;
  }

  /** @throws BoxerError `image_invalid` once they are too many */
  countBytes(bytes: number): void {
    this.#bytes += bytes;
    this.checkSize(this.#bytes);
  }

  /** Refuses a file by what its header says, before any of it is written. */
  checkSize(bytes: number): void {
    const most = this.limits.max_unpacked_bytes;
    if (bytes > most) throw invalidLayer(`the image unpacks to more than ${most} bytes`);
  }

  /** @throws BoxerError `image_invalid` once they are too many */
  countEntry(): void {
    this.#entries++;
    const most = this.limits.max_entries;
    if (this.#entries > most) throw invalidLayer(`the image has more than ${most} entries`);
  }

  countSkipped(): void {
    this.#skipped++;
  }

  countXattrs(count: number): void {
    this.#xattrs += count;
  }
}

/**
 * Makes the directory that the layers of one image are unpacked into with `unpackLayer`, the lowest first, one after
 * the other. Without layers it is an empty root of mode 755. When a layer fails, the caller removes it.
 * @param root path of a directory that does not exist yet, in one that no other user can write to
 * @throws errors of mkdir(2), EEXIST among them
 */
export async function createUnpackTarget(root: string, limits: UnpackLimits): Promise<UnpackTarget> {
  await mkdir(root, { mode: 0o700 });
  const target = new UnpackTarget(root, limits);
  applyMetadata(root, target.tree.root.metadata);
  return target;
}
