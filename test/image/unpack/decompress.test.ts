import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { type Compression, decompress } from "../../../src/image/unpack/decompress.ts";
import { chunksOf } from "../../support/unpack-fixture.ts";

const one = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) % 251));
const two = Buffer.from("two".repeat(50_000));

async function inflate(bytes: Uint8Array, compression: Compression, size = 1000): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(chunksOf(bytes, size), compression)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const CODECS: [Compression, (bytes: Uint8Array) => Buffer][] = [
  ["none", (bytes) => Buffer.from(bytes)],
  ["gzip", (bytes) => gzipSync(bytes)],
  ["zstd", (bytes) => zstdCompressSync(bytes)],
];

for (const [compression, deflate] of CODECS) {
  describe(`a stream compressed with ${compression}`, () => {
    for (const size of [999, 65_536, 10_000_000]) {
      test(`comes out whole from chunks of ${size} bytes`, async () => {
        assert.ok((await inflate(deflate(one), compression, size)).equals(one));
      });

      test(`may have several parts, in chunks of ${size} bytes`, async () => {
        const parts = [one, two, Buffer.from("x"), two, one];
        const stream = Buffer.concat(parts.map(deflate));
        assert.ok((await inflate(stream, compression, size)).equals(Buffer.concat(parts)));
      });
    }

    test("passes on an error of its source as it is", async () => {
      const failure = new Error("its source's own");
      async function* source(): AsyncGenerator<Uint8Array> {
        yield deflate(one).subarray(0, 2000);
        throw failure;
      }
      await assert.rejects(async () => {
        for await (const _ of decompress(source(), compression));
      }, failure);
    });

    test("reads no further once its consumer leaves, and ends its source", async () => {
      let ended = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield deflate(one);
        } finally {
          ended = true;
        }
      }
      for await (const _ of decompress(source(), compression)) break;
      while (!ended) await new Promise((resolve) => setTimeout(resolve, 1));
    });
  });
}

describe("a stream is refused", () => {
  const damaged = gzipSync(one);
  damaged.fill(0x5a, 100, 120);
  const wrongSum = gzipSync(one);
  wrongSum.writeUInt32LE(7, wrongSum.length - 8);
  const damagedZstd = zstdCompressSync(one, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  damagedZstd.fill(0xff, 60, 70);
  const cases: [string, Compression, Uint8Array, RegExp][] = [
    ["cut gzip", "gzip", gzipSync(one).subarray(0, -100), /gzip stream is corrupt: unexpected end of file/],
    [
      "cut gzip trailer",
      "gzip",
      gzipSync(one).subarray(0, -3),
      /gzip stream is corrupt: unexpected end of file/,
    ],
    ["empty gzip", "gzip", Buffer.alloc(0), /gzip stream is corrupt/],
    ["damaged gzip", "gzip", damaged, /gzip stream is corrupt/],
    ["gzip with a wrong checksum", "gzip", wrongSum, /gzip stream is corrupt: incorrect data check/],
    ["gzip that is none", "gzip", one, /gzip stream is corrupt: incorrect header check/],
    ["cut zstd", "zstd", zstdCompressSync(one).subarray(0, -100), /zstd stream is truncated/],
    ["damaged zstd", "zstd", damagedZstd, /zstd stream is corrupt/],
    ["zstd that is none", "zstd", one, /zstd stream is corrupt/],
  ];
  for (const [what, compression, bytes, message] of cases) {
    for (const size of [100, 1_000_000]) {
      test(`${what}, in chunks of ${size} bytes`, async () => {
        await assert.rejects(inflate(bytes, compression, size), { code: "image_invalid", message });
      });
    }
  }
});
