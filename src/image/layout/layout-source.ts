import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError, errnoOf, messageOf } from "../../core/errors.ts";
import { type Digest, splitDigest } from "../digest.ts";
import {
  type Descriptor,
  type ImageSource,
  MAX_DOCUMENT_BYTES,
  type ManifestDocument,
} from "../image-source.ts";
import { type IndexEntry, parseManifest } from "../manifest/parse-manifest.ts";
import { OCI_INDEX } from "../media-types.ts";
import { printable } from "../printable.ts";
import type { Reference } from "../reference.ts";

const REF_NAME = "org.opencontainers.image.ref.name";
const READ_BYTES = 256 << 10;

/**
 * An OCI image layout directory (https://github.com/opencontainers/image-spec/blob/main/image-layout.md). Of several
 * images in it, the one that carries the reference's name or tag; failing that, the one for our platform.
 */
export class LayoutSource implements ImageSource {
  readonly #directory: string;
  readonly #reference: Reference;

  constructor(directory: string, reference: Reference) {
    this.#directory = directory;
    this.#reference = reference;
  }

  async getManifest(digest: Digest | undefined, signal: AbortSignal): Promise<ManifestDocument> {
    if (digest) return { bytes: await this.#readBlob(digest, signal), media_type: "" };
    await this.#read("oci-layout", signal);
    const document = { bytes: await this.#read("index.json", signal), media_type: OCI_INDEX };
    const index = parseManifest(document);
    const named = index.kind === "index" ? this.#choose(index.manifests) : undefined;
    if (!named) return document;
    return { bytes: await this.#readBlob(named.digest, signal), media_type: named.media_type };
  }

  async openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    signal.throwIfAborted();
    return readFrom(await this.#check(pathOf(blob.digest)), offset, signal);
  }

  #choose(manifests: readonly IndexEntry[]): IndexEntry | undefined {
    if (manifests.length === 1) return manifests[0];
    const { tag, text } = this.#reference;
    const named = manifests.filter(({ annotations }) => {
      const name = annotations[REF_NAME];
      return name !== undefined && (name === text || name === tag);
    });
    return named.length === 1 ? named[0] : undefined;
  }

  #readBlob(digest: Digest, signal: AbortSignal): Promise<Uint8Array> {
    return this.#read(pathOf(digest), signal);
  }

  async #read(name: string, signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of readFrom(await this.#check(name), 0, signal)) {
      length += chunk.length;
      if (length > MAX_DOCUMENT_BYTES) {
        throw new BoxerError("image_invalid", `${name} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** A pipe or a device would never end, and must not even be opened. */
  async #check(name: string): Promise<string> {
    const path = join(this.#directory, name);
    try {
      if ((await stat(path)).isFile()) return path;
    } catch (error) {
      const reason =
        errnoOf(error) === "ENOENT" ? "is not there" : `cannot be read: ${printable(messageOf(error))}`;
      throw new BoxerError("image_not_found", `${name} of the image layout ${reason}`, { cause: error });
    }
    throw new BoxerError("image_invalid", `${name} of the image layout is not a file`);
  }
}

function pathOf(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return join("blobs", algorithm, hex);
}

async function* readFrom(path: string, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (let position = offset; ; ) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
