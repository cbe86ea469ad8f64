import { BoxerError } from "../../../src/core/errors.ts";
import type { Digest } from "../../../src/image/digest.ts";
import type { Descriptor, ImageSource, ManifestDocument } from "../../../src/image/image-source.ts";
import { type FakeImage, sha256 } from "../../support/fake-registry.ts";

/** An image source in memory, which counts what is asked of it and misbehaves as told. */
export class MemorySource implements ImageSource {
  readonly opened: { digest: string; offset: number }[] = [];
  /** Changes a blob's stream. */
  tamper: (
    bytes: Buffer,
    blob: Descriptor,
    offset: number,
    signal: AbortSignal,
  ) => AsyncIterable<Uint8Array> = (bytes) => chunked(bytes);
  readonly #manifests = new Map<string | undefined, ManifestDocument>();
  readonly #blobs = new Map<string, Buffer>();

  /** @param digest what to serve it under beside its own: undefined is the name */
  addManifest(bytes: Buffer, media_type: string, ...digests: (string | undefined)[]): void {
    for (const digest of [sha256(bytes), ...digests]) this.#manifests.set(digest, { bytes, media_type });
  }

  addBlob(bytes: Buffer): Descriptor {
    this.#blobs.set(sha256(bytes), bytes);
    return { media_type: "application/octet-stream", digest: sha256(bytes), size_bytes: bytes.length };
  }

  addImage(image: FakeImage, ...digests: (string | undefined)[]): void {
    this.addManifest(image.manifest, image.mediaType, ...digests);
    for (const blob of [image.config, ...image.layers]) this.addBlob(blob);
  }

  async getManifest(digest: Digest | undefined): Promise<ManifestDocument> {
    const document = this.#manifests.get(digest);
    if (!document) throw new BoxerError("image_not_found", `no manifest ${digest}`);
    return document;
  }

  async openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    this.opened.push({ digest: blob.digest, offset });
    const bytes = this.#blobs.get(blob.digest);
    if (!bytes) throw new BoxerError("image_pull_failed", `no blob ${blob.digest}`);
    return this.tamper(bytes.subarray(offset), blob, offset, signal);
  }
}

/** Bytes in pieces. */
export async function* chunked(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
