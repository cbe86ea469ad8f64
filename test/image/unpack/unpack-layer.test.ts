import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { unpackLayer } from "../../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget, type UnpackTarget } from "../../../src/image/unpack/unpack-target.ts";
import { directory, END, file, symlink, tar } from "../../support/tar-builder.ts";
import { AMPLE, chunksOf, contentOf, TAR, withDirectory } from "../../support/unpack-fixture.ts";

const OCI = "application/vnd.oci.image.layer.v1.tar";
const DOCKER = "application/vnd.docker.image.rootfs.diff.tar";

const large = Buffer.from(Array.from({ length: 900_000 }, (_, index) => (index * index) % 127));
const layer = tar(directory("d"), file("d/large", large), file("small", "x"), symlink("l", "d/large"));
const CONTENT = { d: "/", "d/large": large.toString(), small: "x", l: "-> d/large" };

const withTarget = (use: (target: UnpackTarget, root: string) => Promise<void>): Promise<void> =>
  withDirectory(async (place) =>
    use(await createUnpackTarget(join(place, "root"), AMPLE), join(place, "root")),
  );

/** How many files this process has open. */
const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("a layer", () => {
  const cases: [string, Uint8Array][] = [
    [OCI, layer],
    [`${OCI}+gzip`, gzipSync(layer)],
    [`${OCI}+zstd`, zstdCompressSync(layer)],
    [DOCKER, layer],
    [`${DOCKER}.gzip`, gzipSync(layer)],
    [`${DOCKER}.zstd`, zstdCompressSync(layer)],
  ];
  for (const [mediaType, bytes] of cases) {
    for (const size of [777, 1_000_000]) {
      test(`of type ${mediaType} is unpacked from chunks of ${size} bytes`, () =>
        withTarget(async (target, root) => {
          await unpackLayer(chunksOf(bytes, size), mediaType, target);
          assert.deepEqual(await contentOf(root), CONTENT);
        }));
    }
  }

  test("may be made of many gzip members, as eStargz is", () =>
    withTarget(async (target, root) => {
      const pieces = [layer.subarray(0, 512), layer.subarray(512, 700_000), layer.subarray(700_000)];
      await unpackLayer(
        chunksOf(Buffer.concat(pieces.map((piece) => gzipSync(piece)))),
        `${OCI}+gzip`,
        target,
      );
      assert.deepEqual(await contentOf(root), CONTENT);
    }));

  test("may be empty", () =>
    withTarget(async (target, root) => {
      for (const empty of [END, Buffer.alloc(0), Buffer.alloc(10_240)]) {
        await unpackLayer(chunksOf(empty), OCI, target);
        await unpackLayer(chunksOf(gzipSync(empty)), `${OCI}+gzip`, target);
      }
      assert.deepEqual(await contentOf(root), {});
    }));
});

describe("a layer is refused unread", () => {
  const cases: [string, RegExp][] = [
    [`${OCI}+gzip+encrypted`, /encrypted/],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", /foreign/],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", /foreign/],
    ["application/vnd.oci.image.layer.v1.squashfs", /not a tar layer/],
    ["application/vnd.in-toto+json", /not a tar layer/],
    ["", /not a tar layer/],
  ];
  for (const [mediaType, message] of cases) {
    test(`when its type is ${mediaType || "missing"}`, () =>
      withTarget(async (target) => {
        let read = false;
        async function* source(): AsyncGenerator<Uint8Array> {
          read = true;
          yield layer;
        }
        await assert.rejects(unpackLayer(source(), mediaType, target), { code: "image_invalid", message });
        assert.equal(read, false);
      }));
  }
});

describe("a layer that fails half way", () => {
  const cases: [string, Uint8Array, string, RegExp][] = [
    ["cut within a file", layer.subarray(0, 300_288), OCI, /truncated/i],
    ["cut within a block", layer.subarray(0, 300_300), OCI, /truncated/],
    ["cut gzip", gzipSync(layer).subarray(0, -20), `${OCI}+gzip`, /gzip stream is corrupt/],
    ["cut zstd", zstdCompressSync(layer).subarray(0, -20), `${OCI}+zstd`, /zstd stream is truncated/],
    ["gzip within gzip", gzipSync(gzipSync(layer)), `${OCI}+gzip`, /compressed twice|truncated/],
    ["gzip that says to be plain", gzipSync(layer), OCI, /compressed twice|truncated/],
    ["an impossible entry after a good one", tar(file("a"), file("a/b")), OCI, /"a\/b": its parent/],
  ];
  for (const [what, bytes, mediaType, message] of cases) {
    test(`is an error of the image, and leaves no file open: ${what}`, () =>
      withTarget(async (target) => {
        const before = openFiles();
        const unpacked = unpackLayer(chunksOf(bytes, 10_000), mediaType, target);
        await assert.rejects(unpacked, { code: "image_invalid", message });
        assert.ok(openFiles() <= before);
      }));
  }

  test("passes on the error of its source", () =>
    withTarget(async (target) => {
      const failure = new Error("connection lost");
      async function* source(): AsyncGenerator<Uint8Array> {
        yield layer.subarray(0, 200_000);
        throw failure;
      }
      const before = openFiles();
      await assert.rejects(unpackLayer(source(), OCI, target), failure);
      assert.ok(openFiles() <= before);
    }));
});

describe("an abort", () => {
  for (const [mediaType, bytes] of [
    [OCI, layer],
    [`${OCI}+gzip`, gzipSync(layer)],
    [`${OCI}+zstd`, zstdCompressSync(layer)],
  ] as const) {
    test(`ends it with its reason while the source is silent (${mediaType})`, () =>
      withTarget(async (target) => {
        const abort = new AbortController();
        const reason = new Error("enough");
        async function* source(): AsyncGenerator<Uint8Array> {
          yield bytes.subarray(0, bytes.length / 2);
          setTimeout(() => abort.abort(reason), 5);
          await new Promise(() => {});
        }
        const before = openFiles();
        await assert.rejects(unpackLayer(source(), mediaType, target, { signal: abort.signal }), reason);
        assert.ok(openFiles() <= before);
      }));
  }

  test("ends it between two entries of one chunk", () =>
    withTarget(async (target, root) => {
      const abort = new AbortController();
      const reason = new Error("enough");
      const entries = Array.from({ length: 3000 }, (_, index) => file(`f${index}`));
      async function* source(): AsyncGenerator<Uint8Array> {
        setImmediate(() => abort.abort(reason));
        yield tar(...entries);
      }
      await assert.rejects(unpackLayer(source(), OCI, target, { signal: abort.signal }), reason);
      assert.ok(readdirSync(root).length < 3000);
    }));

  test("before the start reads nothing", () =>
    withTarget(async (target) => {
      const reason = new Error("too late");
      let read = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        read = true;
        yield layer;
      }
      await assert.rejects(unpackLayer(source(), TAR, target, { signal: AbortSignal.abort(reason) }), reason);
      assert.equal(read, false);
    }));
});
