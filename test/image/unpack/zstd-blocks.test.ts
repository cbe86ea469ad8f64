import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { zstdBlocks } from "../../../src/image/unpack/zstd-blocks.ts";
import { chunksOf } from "../../support/unpack-fixture.ts";

const text = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * index) % 251));
const frame = zstdCompressSync(text);
const small = zstdCompressSync(Buffer.from("small"));

function skippable(length: number): Buffer {
  const bytes = Buffer.alloc(8 + length, 0x28);
  bytes.writeUInt32LE(0x184d2a53, 0);
  bytes.writeUInt32LE(length, 4);
  return bytes;
}

async function piecesOf(stream: Buffer, size: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of zstdBlocks(chunksOf(stream, size))) pieces.push(piece);
  return pieces;
}

/** Offsets at which a piece ends. */
function endsOf(pieces: readonly Uint8Array[]): number[] {
  let end = 0;
  return pieces.map((piece) => (end += piece.length));
}

for (const size of [1, 7, 1000, 65_536, 10_000_000]) {
  describe(`a zstd stream in chunks of ${size} bytes`, () => {
    test("is cut into blocks, without skippable frames", async () => {
      const stream = Buffer.concat([skippable(9), small, frame, skippable(0), small, skippable(300)]);
      const pieces = await piecesOf(stream, size);
      assert.ok(Buffer.concat(pieces).equals(Buffer.concat([small, frame, small])));
      const ends = endsOf(pieces);
      for (const end of [small.length, small.length + frame.length]) assert.ok(ends.includes(end));
      // 400,000 bytes take four blocks.
      assert.equal(pieces.length, 6);
    });

    test("is refused when it ends too early, wherever that is", async () => {
      for (const cut of [1, 4, 5, 6, small.length - 1]) {
        const stream = Buffer.concat([small, small.subarray(0, cut)]);
        await assert.rejects(piecesOf(stream, size), { code: "image_invalid", message: /truncated/ });
      }
      await assert.rejects(piecesOf(skippable(10).subarray(0, 12), size), { message: /truncated/ });
    });

    test("is refused when it is something else", async () => {
      const hugeBlock = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 0x09, 0, 0x10]);
      const streams = [Buffer.from("nonsense"), Buffer.concat([small, Buffer.alloc(100)]), hugeBlock];
      for (const stream of streams) await assert.rejects(piecesOf(stream, size), { message: /corrupt/ });
    });
  });
}

test("a frame may have any of the headers of RFC 8878", async () => {
  const block = Buffer.from([0x01 | (3 << 3), 0, 0, 1, 2, 3]);
  for (let descriptor = 0; descriptor < 256; descriptor++) {
    if (descriptor & 0b1000) continue;
    const single = (descriptor >> 5) & 1;
    const fields =
      1 - single + ([0, 1, 2, 4][descriptor & 3] ?? 0) + ([single, 2, 4, 8][descriptor >> 6] ?? 0);
    const checksum = descriptor & 4 ? 4 : 0;
    const whole = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor]),
      Buffer.alloc(fields, 0xee),
      block,
      Buffer.alloc(checksum, 0xcc),
    ]);
    const pieces = await piecesOf(Buffer.concat([whole, whole]), 4096);
    assert.deepEqual(endsOf(pieces), [whole.length, 2 * whole.length]);
  }
});

test("an empty stream is empty", async () => {
  assert.deepEqual(await piecesOf(Buffer.alloc(0), 1), []);
});

test("the source is ended when the consumer leaves", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield frame;
      yield frame;
    } finally {
      ended = true;
    }
  }
  for await (const _ of zstdBlocks(source())) break;
  assert.ok(ended);
});
