import { invalidLayer } from "./unpack-error.ts";

const FRAME_MAGIC = 0xfd2fb528;
/** The magic number of a skippable frame, without its lowest four bits, which are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/**
 * Cuts a zstd stream (RFC 8878, section 3) at the ends of its frames, and leaves out skippable frames. Deno's
 * decompressor drops what follows a frame in the same chunk, and none of the runtimes minds a stream that ends within
 * one; layers of several frames are common ("zstd:chunked").
 * @throws BoxerError `image_invalid` when the stream is truncated or no zstd
 */
export async function* zstdFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  try {
    while (await input.more()) {
      const magic = await input.take(4);
      const number = magic.readUInt32LE();
      if (number === FRAME_MAGIC) yield* coalesce(frame(input, magic));
      else if ((number & ~0xf) === SKIPPABLE_MAGIC) await input.skip((await input.take(4)).readUInt32LE());
      else throw invalidLayer("its zstd stream is corrupt");
    }
  } finally {
    await input.close();
  }
}

async function* frame(input: Input, magic: Buffer): AsyncGenerator<Uint8Array> {
  yield magic;
  const descriptor = await input.take(1);
  yield descriptor;
  const flags = descriptor.readUInt8();
  yield await input.take(frameHeaderBytes(flags) - 1);
  for (let last = false; !last; ) {
    const head = await input.take(3);
    yield head;
    const bits = head.readUIntLE(0, 3);
    last = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    if (type === RESERVED_BLOCK) throw invalidLayer("its zstd stream is corrupt");
    yield* input.pass(type === RLE_BLOCK ? 1 : bits >> 3);
  }
  const hasChecksum = (flags & 4) !== 0;
  if (hasChecksum) yield await input.take(4);
}

/** Length of a frame header from its descriptor on (RFC 8878, section 3.1.1.1). */
function frameHeaderBytes(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1;
  const contentSize = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return 1 + (1 - singleSegment) + dictionaryId + contentSize;
}

/** Most bytes that are held back to make one chunk of the pieces of a frame. */
const COALESCE_BYTES = 64 * 1024;

async function* coalesce(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < COALESCE_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
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
    for await (const piece of this.pass(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.pass(length));
  }

  /** Ends the source as well. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The next bytes, exactly so many, as they come. */
  async *pass(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (!(await this.more())) throw invalidLayer("its zstd stream is truncated");
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}
