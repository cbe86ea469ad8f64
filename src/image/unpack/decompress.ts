import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { drained } from "../../core/drained.ts";
import { messageOf } from "../../core/errors.ts";
import { invalidLayer } from "./unpack-error.ts";
import { MAX_ZSTD_BLOCK_BYTES, zstdBlocks } from "./zstd-blocks.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Most bytes that come out of a decompressor at a time. */
const GZIP_CHUNK_BYTES = 64 * 1024;
/** More than a block, so that no block needs a second chunk: see {@link zstdBlocks}. */
const ZSTD_CHUNK_BYTES = 2 * MAX_ZSTD_BLOCK_BYTES;

/**
 * Decompresses a stream with back-pressure: no more is read, and no more is held, than what the consumer takes.
 * @throws BoxerError `image_invalid` when the stream is truncated or corrupt; errors of `source` as they are
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return through(source, createGunzip({ chunkSize: GZIP_CHUNK_BYTES }), compression);
    case "zstd":
      return through(zstdBlocks(source), createZstdDecompress({ chunkSize: ZSTD_CHUNK_BYTES }), compression);
  }
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  codec: Transform,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  let sourceFailure: { error: unknown } | undefined;
  pump(source, codec).catch((error) => {
    sourceFailure = { error };
    codec.destroy(new Error("its source failed"));
  });
  try {
    for await (const chunk of codec) yield chunk;
  } catch (error) {
    if (sourceFailure) throw sourceFailure.error;
    throw invalidLayer(`its ${compression} stream is corrupt: ${messageOf(error)}`, error);
  }
}

/** Writes all of `source` to `codec`, or until that is destroyed. */
async function pump(source: AsyncIterable<Uint8Array>, codec: Transform): Promise<void> {
  for await (const chunk of source) {
    if (!codec.destroyed && !codec.write(chunk)) await drained(codec);
    if (codec.destroyed) return;
  }
  codec.end();
}
