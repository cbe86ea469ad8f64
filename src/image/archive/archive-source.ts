import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError } from "../../core/errors.ts";
import { type Digest, splitDigest } from "../digest.ts";
import {
  type Descriptor,
  type ImageSource,
  MAX_DOCUMENT_BYTES,
  type ManifestDocument,
} from "../image-source.ts";
import type { ArchiveParts } from "./archive-parts.ts";

const READ_BYTES = 256 << 10;

/**
 * An image of an archive that was received. Whatever is missing or of another size makes the archive invalid, since no
 * other try could find it.
 */
export class ArchiveSource implements ImageSource {
  readonly #directory: string;
  readonly #parts: ArchiveParts;
  readonly #root: ManifestDocument;

  /**
   * @param directory where `receiveArchive` wrote the files
   * @param root the manifest or index of the image
   */
  constructor(directory: string, parts: ArchiveParts, root: ManifestDocument) {
    this.#directory = directory;
    this.#parts = parts;
    this.#root = root;
  }

  async getManifest(digest: Digest | undefined): Promise<ManifestDocument> {
    if (digest === undefined) return this.#root;
    return { bytes: await readPart(this.#directory, this.#parts, digest), media_type: "" };
  }

  async openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { digest, size_bytes } = blob;
    const actual = sizeOf(this.#parts, digest);
    if (actual !== size_bytes)
      throw invalid(`${digest} of the archive has ${actual} bytes, not ${size_bytes}`);
    const path = pathOf(this.#directory, digest);
    return createReadStream(path, { start: offset, highWaterMark: READ_BYTES, signal });
  }

  /** Whether the archive has a blob. */
  has(digest: Digest): boolean {
    return this.#parts.sizeOf(digest) !== undefined;
  }
}

/**
 * A small file of an archive as a whole.
 * @throws BoxerError `image_invalid` with the bare reason
 */
export async function readPart(directory: string, parts: ArchiveParts, digest: Digest): Promise<Uint8Array> {
  if (sizeOf(parts, digest) > MAX_DOCUMENT_BYTES) {
    throw invalid(`${digest} of the archive is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  return await readFile(pathOf(directory, digest));
}

function sizeOf(parts: ArchiveParts, digest: Digest): number {
  const size_bytes = parts.sizeOf(digest);
  if (size_bytes === undefined) throw invalid(`${digest} is not in the archive`);
  return size_bytes;
}

function pathOf(directory: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return join(directory, "blobs", algorithm, hex);
}

function invalid(reason: string): BoxerError {
  return new BoxerError("image_invalid", reason);
}
