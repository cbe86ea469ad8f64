import { invalidLayer } from "./unpack-error.ts";

const FRAME_MAGIC = 0xfd2fb528;
/** The magic number of a skippable frame, without its lowest four bits, which are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Most bytes of a block, compressed or not (RFC 8878, section 3.1.1.2.4). */
export const MAX_ZSTD_BLOCK_BYTES = 128 * 1024;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/**
 * Cuts a zstd stream (RFC 8878, section 3) into pieces that each have one block, the first of a frame with its header and
 * the last one with its checksum. Skippable frames are left out.
 *
 * The decompressors of the runtimes ask for that. Deno's drops what follows a frame in the same chunk, and throws where
 * nobody can catch it when it finds a fault after more output than it has room for. Neither minds a stream that ends
 * within a frame. Layers of many frames are common ("zstd:chunked").
 * @throws BoxerError `image_invalid` when the stream is truncated or no zstd
 */
export async function* zstdBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  try {
    while (await input.more()) {
      const magic = await input.take(4);
      const number = magic.readUInt32LE();
      if (number === FRAME_MAGIC) yield* blocksOfFrame(input, magic);
      else if ((number & ~0xf) === SKIPPABLE_MAGIC) await input.skip((await input.take(4)).readUInt32LE());
      else throw corrupt();
    }
  } finally {
    await input.close();
  }
}

async function* blocksOfFrame(input: Input, magic: Buffer): AsyncGenerator<Uint8Array> {
  const descriptor = await input.take(1);
  const flags = descriptor.readUInt8();
  let pieces = [magic, descriptor, await input.take(frameHeaderBytes(flags) - 1)];
  for (let last = false; !last; ) {
    const head = await input.take(3);
    const bits = head.readUIntLE(0, 3);
    last = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === RESERVED_BLOCK || size > MAX_ZSTD_BLOCK_BYTES) throw corrupt();
    pieces.push(head, await input.take(type === RLE_BLOCK ? 1 : size));
    const hasChecksum = (flags & 4) !== 0;
    if (last && hasChecksum) pieces.push(await input.take(4));
    yield Buffer.concat(pieces);
    pieces = [];
  }
}

/** Length of a frame header from its descriptor on (RFC 8878, section 3.1.1.1). */
function frameHeaderBytes(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1;
  const contentSize = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return 1 + (1 - singleSegment) + dictionaryId + contentSize;
}

function corrupt(): Error {
  return invalidLayer("its zstd stream is corrupt");
}

/** A stream of bytes to take from piece by piece. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Whether any byte is left. */
  async more(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#chunk = next.value;
    }
    return true;
  }

  /** The next bytes, exactly so many. */
  async take(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    await this.#pass(length, (piece) => pieces.push(piece));
    return Buffer.concat(pieces);
  }

  async skip(length: number): Promise<void> {
    await this.#pass(length, () => {});
  }

  /** Ends the source as well. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #pass(length: number, to: (piece: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0; ) {
      if (!(await this.more())) throw invalidLayer("its zstd stream is truncated");
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      to(piece);
    }
  }
}
