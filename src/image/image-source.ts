import type { Digest } from "./digest.ts";

/** A reference to content, as of the OCI image specification: what it is, how large, and its address. */
export interface Descriptor {
  readonly media_type: string;
  readonly digest: Digest;
  readonly size_bytes: number;
}

/** A manifest or index as it came, not verified. */
export interface ManifestDocument {
  readonly bytes: Uint8Array;
  /** As the source states it; empty where it does not. */
  readonly media_type: string;
}

/** Where an image comes from. What it yields is not trusted: the readers verify digests and sizes. */
export interface ImageSource {
  /**
   * The manifest or index of this digest; without one, what the image's name stands for.
   * @throws BoxerError `image_not_found`, `image_pull_failed`, `image_invalid` with the bare reason
   */
  getManifest(digest: Digest | undefined, signal: AbortSignal): Promise<ManifestDocument>;
  /**
   * The content of a blob from `offset` bytes on.
   * @throws TemporaryError where another try may help, from the call or while streaming; other BoxerErrors
   */
  openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** Most bytes of a manifest, an index or an image config, as other tools bound them. */
export const MAX_DOCUMENT_BYTES = 4 << 20;
