import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { BoxerError } from "../../src/core/errors.ts";
import { receiveArchive } from "../../src/image/archive/receive-archive.ts";
import { dockerArchive, ociArchive } from "../image/support/archives.ts";
import { chunked } from "../image/support/memory-source.ts";
import { TestStore } from "../image/support/test-store.ts";
import { imageOf, sha256 } from "../support/fake-registry.ts";
import { directory, file, hardLink, header, pax, symlink, tar } from "../support/tar-builder.ts";

const image = imageOf([{ "one.txt": "content" }]);
const HEX = "0".repeat(64);
const { signal } = new AbortController();

/** A directory with a witness beside the one that the archive may write to. */
let outside = "";
let inside = "";
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), "boxer-attack-"));
  inside = join(outside, "a/b");
  await mkdir(inside, { recursive: true });
});
afterEach(() => rm(outside, { recursive: true }));

const limits = { max_image_bytes: 1 << 20, max_image_entries: 50 };
const receive = (archive: Uint8Array) => receiveArchive(chunked(archive, 4096), inside, limits, signal);

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

describe("an archive writes nothing under a name of its choice", () => {
  const names = [
    "../manifest.json",
    "../../a.json",
    "x/../../manifest.json",
    "/etc/boxer.json",
    "blobs/sha256/../../../a.json",
    `blobs/sha256/../sha256/${HEX}`,
    "..",
    ".ssh/authorized_keys",
    "a/b/c/layer.tar",
    `blobs/md5/${HEX}`,
    `blobs/sha256/${HEX.slice(1)}`,
    `blobs/sha256/${HEX}/x.json`,
  ];
  for (const name of names) {
    test(name, async () => {
      const received = receive(tar(file(name, "attack")));
      if (name === "..") await assert.rejects(received, /image_invalid|ends in/);
      else await received;
      assert.deepEqual(await filesBelow(outside), []);
    });
  }

  test("what can be part of an image is named by its digest", async () => {
    await receive(tar(file("./a.json", "content"), directory("blobs")));
    const expected = join(inside, "blobs/sha256", sha256("content").slice(7));
    assert.deepEqual(await filesBelow(outside), [expected]);
  });
});

describe("an archive is refused that holds", () => {
  const layer = (name: string) => `${name}/layer.tar`;
  const cases: [what: string, archive: Buffer, reason: RegExp][] = [
    ["a link out of it", tar(symlink(layer("a"), "../../etc/layer.tar")), /only layers may be links/],
    ["an absolute link", tar(symlink(layer("a"), "/etc/layer.tar")), /only layers may be links/],
    ["a link to a file that is no layer", tar(symlink(layer("a"), "/etc/passwd")), /only layers/],
    ["a manifest that is a link", tar(symlink("manifest.json", "a.json")), /only layers/],
    ["a directory that is a link", tar(symlink("blobs", "/etc"), file(`blobs/sha256/${HEX}`)), /only layers/],
    ["a link of a blob's name", tar(symlink(`blobs/sha256/${HEX}`, "../../a.tar")), /only layers/],
    ["a hard link", tar(file("a.tar"), hardLink("b.tar", "a.tar")), /neither a file nor a directory/],
    ["a hard link out of it", tar(hardLink("b.tar", "/etc/passwd")), /neither a file nor a directory/],
    ["a device", tar(header("a.json", { type: "3" })), /neither a file nor a directory/],
    ["a named pipe", tar(header("a.json", { type: "6" })), /neither a file nor a directory/],
    ["two files of one name", tar(file("a.json", "1"), file("./a.json", "2")), /there twice/],
    ["a file and a link of one name", tar(file("a.tar", "1"), symlink("a.tar", "b.tar")), /there twice/],
    ["a blob that is another", tar(file(`blobs/sha256/${HEX}`, "lie")), /content is of another/],
    [
      "a sha512 blob that is another",
      tar(pax({ path: `blobs/sha512/${HEX}${HEX}` }), file("x", "lie")),
      /content is of another/,
    ],
    ["a name with NUL", tar(pax({ path: "a\0.json" }), file("x")), /NUL/],
    [
      "more bytes than allowed",
      tar(file("a.tar", Buffer.alloc(2 << 20))),
      /more than the allowed 1048576 bytes/,
    ],
    ["bytes that nobody needs, more than allowed", tar(file("x", Buffer.alloc(2 << 20))), /1048576 bytes/],
    ["a bomb", gzipSync(tar(file("a.tar", Buffer.alloc(64 << 20)))), /1048576 bytes/],
    ["nothing but zeros, without end", Buffer.alloc(2 << 20), /1048576 bytes/],
    ["more entries than allowed", tar(...Array.from({ length: 51 }, () => file("x"))), /allowed 50 entries/],
    ["another compression inside", gzipSync(gzipSync(tar(file("a.tar")))), /compressed twice|damaged/],
  ];
  for (const [what, archive, reason] of cases) {
    test(what, async () => {
      await assert.rejects(receive(archive), (error) => {
        assert.ok(error instanceof BoxerError, String(error));
        assert.equal(error.code, "image_invalid", error.message);
        assert.match(error.message, reason);
        return true;
      });
      const written = await filesBelow(outside);
      assert.deepEqual(
        written.filter((path) => !path.startsWith(inside)),
        [],
      );
    });
  }
});

test("links that go in circles are no layer", async () => {
  const parts = await receive(
    tar(symlink("a/layer.tar", "../b/layer.tar"), symlink("b/layer.tar", "../a/layer.tar")),
  );
  assert.equal(parts.find("a/layer.tar"), undefined);
});

test("a manifest finds no file outside the archive", async () => {
  const parts = await receive(tar(file("a.json", "1")));
  for (const name of ["/etc/passwd", "../../../../etc/passwd", "__proto__", "constructor", ""]) {
    assert.equal(parts.find(name), undefined, name);
  }
});

describe("the store", () => {
  const NOTHING = { tmp: 0, "blobs/sha256": 0, images: 0, rootfs: 0, references: 0 };
  let images: TestStore;
  beforeEach(async () => {
    images = await TestStore.open();
  });
  afterEach(() => images.close());

  const importing = (stream: AsyncIterable<Uint8Array>, abort: AbortSignal = signal) =>
    images.store.importArchive(stream, "local/x:1", { signal: abort });

  test("keeps nothing of an archive whose layer is not the one of its config", async () => {
    const lie = imageOf([{ a: "1" }], { diff_ids: [sha256("other")] });
    await assert.rejects(importing(chunked(ociArchive(lie))), /not the one that the image config speaks of/);
    await images.store.close();
    assert.deepEqual(await images.files(), NOTHING);
    await images.reopen();
  });

  test("keeps nothing of an archive that stops coming, and does not wait for it", async () => {
    const abort = new AbortController();
    async function* stalls(): AsyncGenerator<Uint8Array> {
      yield dockerArchive(image).subarray(0, 2048);
      queueMicrotask(() => abort.abort(new Error("had enough")));
      await new Promise(() => {});
    }
    await assert.rejects(importing(stalls(), abort.signal), /had enough/);
    assert.deepEqual(await images.files(), NOTHING);
  });

  test("gives up an archive that stops coming when it is closed", async () => {
    const { promise: began, resolve: begin } = Promise.withResolvers<void>();
    async function* stalls(): AsyncGenerator<Uint8Array> {
      yield dockerArchive(image).subarray(0, 2048);
      begin();
      await new Promise(() => {});
    }
    const imported = importing(stalls());
    imported.catch(() => {});
    await began;
    await images.store.close();
    assert.deepEqual(await images.files(), NOTHING);
    await assert.rejects(imported, (error) => error instanceof BoxerError && error.code === "draining");
    await images.reopen();
  });

  test("keeps an image of before when an archive of its name is bad", async () => {
    const before = await importing(chunked(ociArchive(image)));
    await assert.rejects(importing(chunked(ociArchive(image).subarray(0, 5000))));
    assert.equal((await images.acquire("local/x:1")).image.digest, before.digest);
  });
});
