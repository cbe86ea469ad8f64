import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { unpackLayer } from "../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget, type UnpackLimits } from "../../src/image/unpack/unpack-target.ts";
import { base256, directory, file, header, pax, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { AMPLE, chunksOf, pathsIn, TAR, withDirectory } from "../support/unpack-fixture.ts";

const MIB = 1024 * 1024;

interface Bomb {
  readonly name: string;
  readonly mediaType?: string;
  readonly layers: readonly Uint8Array[];
  readonly limits?: Partial<UnpackLimits>;
  readonly refused: RegExp;
  /** Most bytes of the last layer that may have been read by then. */
  readonly read?: number;
  /** Most paths that may have been made by then. */
  readonly made?: number;
}

const GZIP = `${TAR}+gzip`;
const ZSTD = `${TAR}+zstd`;
const zeros = gzipSync(Buffer.alloc(64 * MIB));
/** As gzip members, of which a stream may have any number: 1 GiB. */
const manyZeros = Buffer.concat(Array.from({ length: 16 }, () => zeros));
const hugeFile = gzipSync(header("zeros", { size: 1024 * MIB }));
const numbered = (count: number, make: (name: string) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, index) => make(`f${index}`));

/** A zstd frame of so many blocks, each of 128 KiB in four bytes (RFC 8878, section 3.1.1.2.2). */
function zstdZeros(blocks: number): Buffer {
  const frame = Buffer.alloc(6 + 4 * blocks);
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  for (let index = 0; index < blocks; index++) {
    const last = index === blocks - 1 ? 1 : 0;
    frame.writeUIntLE((128 * 1024 * 8) | (1 << 1) | last, 6 + 4 * index, 3);
  }
  return frame;
}

const BOMBS: readonly Bomb[] = [
  {
    name: "a gzip stream of zeros in a file",
    mediaType: GZIP,
    layers: [Buffer.concat([hugeFile, manyZeros])],
    limits: { max_unpacked_bytes: 1023 * MIB },
    refused: /unpacks to more than/,
    read: 80 * 1024,
    made: 0,
  },
  {
    name: "a gzip stream of zeros in files that are each small enough",
    mediaType: GZIP,
    layers: [gzipSync(Buffer.concat(numbered(200, (name) => file(name, Buffer.alloc(MIB)))))],
    limits: { max_unpacked_bytes: 16 * MIB },
    refused: /unpacks to more than 16777216 bytes/,
    read: 64 * 1024,
    made: 16,
  },
  {
    name: "a gzip stream of zeros after the end of the archive",
    mediaType: GZIP,
    layers: [Buffer.concat([gzipSync(tar(file("f"))), manyZeros])],
    limits: { max_unpacked_bytes: 16 * MIB },
    refused: /unpacks to more than/,
    read: 160 * 1024,
    made: 1,
  },
  {
    name: "a zstd stream of zeros",
    mediaType: ZSTD,
    layers: [zstdZeros(65_536)],
    limits: { max_unpacked_bytes: 16 * MIB },
    refused: /unpacks to more than/,
    read: 128 * 1024,
    made: 0,
  },
  {
    name: "zeros without compression, after the end of the archive",
    layers: [Buffer.concat([tar(file("f")), Buffer.alloc(32 * MIB)])],
    limits: { max_unpacked_bytes: 4 * MIB },
    refused: /unpacks to more than/,
    read: 5 * MIB,
    made: 1,
  },
  {
    name: "a file that says to be larger than the image may be",
    layers: [tar(file("f", Buffer.alloc(MIB), { size: 2 ** 32 }))],
    refused: /unpacks to more than/,
    made: 0,
  },
  {
    name: "a file that says to be larger than any number",
    layers: [tar(file("f", "", { size: base256(1n << 80n, 12) }))],
    refused: /outside of javascript safe integer range/,
    made: 0,
  },
  {
    name: "a file of a negative size",
    layers: [tar(file("f", "", { size: base256(-512n, 12) }), file("g"))],
    refused: /"f": its size is not a number/,
    made: 0,
  },
  {
    name: "a file of a negative size in octal digits",
    layers: [tar(file("f", "", { size: Buffer.from("-0000001000\0") }))],
    refused: /its size is not a number/,
    made: 0,
  },
  {
    name: "a pax header with a negative size",
    layers: [tar(pax({ size: "-5" }), file("f", "hello"))],
    refused: /its size is not a number/,
  },
  {
    name: "a pax header with a size larger than any number",
    layers: [tar(pax({ size: "9".repeat(400) }), file("f", "hello"))],
    refused: /unpacks to more than/,
  },
  {
    name: "a pax header that hides a size in another value",
    layers: [tar(pax({ size: "5", comment: "x\n10 size=0" }), file("f", "hello"))],
    refused: /its size is not a number/,
  },
  {
    name: "an extended header larger than any entry needs",
    layers: [tar(pax({ comment: "x".repeat(70_000) }), file("f"))],
    refused: /more than 65536 bytes of extended headers/,
    made: 0,
  },
  {
    name: "any number of extended headers before one entry",
    layers: [tar(...numbered(100, () => pax({ comment: "x".repeat(1000) })), file("f"))],
    refused: /more than 65536 bytes of extended headers/,
    made: 0,
  },
  {
    name: "more files than allowed",
    layers: [tar(...numbered(101, (name) => file(name)))],
    limits: { max_entries: 100 },
    refused: /more than 100 entries/,
    made: 100,
  },
  {
    name: "more directories than allowed, which nothing but a name asks for",
    layers: [tar(file("a/b/c/d/e/f/g/h/i/j/k"))],
    limits: { max_entries: 10 },
    refused: /more than 10 entries/,
    made: 10,
  },
  {
    name: "more entries than allowed, over two layers",
    layers: [
      tar(...numbered(60, (name) => directory(name))),
      tar(...numbered(60, (name) => symlink(name, "x"))),
    ],
    limits: { max_entries: 100 },
    refused: /more than 100 entries/,
    made: 60,
  },
  {
    name: "more whiteouts than allowed",
    layers: [tar(...numbered(101, (name) => whiteout(`.wh.${name}`)))],
    limits: { max_entries: 100 },
    refused: /more than 100 entries/,
    made: 0,
  },
  {
    name: "more bytes than allowed, over two layers",
    layers: [tar(file("a", Buffer.alloc(MIB))), tar(file("b", Buffer.alloc(MIB)))],
    limits: { max_unpacked_bytes: 2 * MIB },
    refused: /unpacks to more than 2097152 bytes/,
    made: 2,
  },
];

describe("a layer that is a bomb", () => {
  for (const bomb of BOMBS) {
    test(`is refused once it passes a bound: ${bomb.name}`, () =>
      withDirectory(async (place) => {
        const root = join(place, "root");
        const target = await createUnpackTarget(root, { ...AMPLE, ...bomb.limits });
        let read = 0;
        async function* counted(layer: Uint8Array): AsyncGenerator<Uint8Array> {
          read = 0;
          for await (const chunk of chunksOf(layer, 4096)) {
            read += chunk.length;
            yield chunk;
          }
        }
        const unpack = async (): Promise<void> => {
          for (const layer of bomb.layers) await unpackLayer(counted(layer), bomb.mediaType ?? TAR, target);
        };
        await assert.rejects(unpack, { code: "image_invalid", message: bomb.refused });
        if (bomb.read !== undefined) assert.ok(read <= bomb.read, `read ${read} bytes`);
        if (bomb.made !== undefined) assert.ok((await pathsIn(root)).length <= bomb.made);
      }));
  }

  test("passes when it is exactly as large as allowed", () =>
    withDirectory(async (place) => {
      const layer = tar(file("a", Buffer.alloc(MIB)));
      const limits = { max_unpacked_bytes: layer.length, max_entries: 1 };
      const target = await createUnpackTarget(join(place, "root"), limits);
      await unpackLayer(chunksOf(layer), TAR, target);
      assert.deepEqual(await pathsIn(join(place, "root")), ["a"]);
    }));
});
