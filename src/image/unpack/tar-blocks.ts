import { TAR_BLOCK_BYTES } from "./tar-tokenizer.ts";

/** Most bytes that are handled at one time: of empty files, that is a hundred or so. */
const MAX_PIECE_BYTES = 64 * 1024;

/**
 * Cuts a stream into whole tar blocks, copying only where a chunk ends within one. Only the last piece may end within a
 * block, when the stream does.
 */
export async function* tarBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : asBuffer(chunk);
    const whole = bytes.length - (bytes.length % TAR_BLOCK_BYTES);
    for (let at = 0; at < whole; at += MAX_PIECE_BYTES) {
      yield bytes.subarray(at, Math.min(at + MAX_PIECE_BYTES, whole));
    }
    // A copy, so that the chunk can go.
    rest = Buffer.from(bytes.subarray(whole));
  }
  if (rest.length > 0) yield rest;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
