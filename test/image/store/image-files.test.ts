import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ImageFiles } from "../../../src/image/store/image-files.ts";
import { platform } from "../../support/platform.ts";
import { imageRecord, nameRecord, someImage } from "../support/records.ts";
import { testLog } from "../support/test-log.ts";

const image = someImage();
const EROFS = { digest: image.digest, rootfs_type: "erofs" } as const;
const DIRECTORY = { digest: image.digest, rootfs_type: "directory" } as const;
const reference = "docker.io/library/python:3";
let root = "";
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "boxer-image-files-")), "images");
});
afterEach(() => rm(join(root, ".."), { recursive: true, force: true }));

async function open() {
  const { log, lines } = testLog();
  const files = new ImageFiles(root, platform, log);
  return { files, lines, ...(await files.load()) };
}

/** A directory that has one image with one name. */
async function fill(): Promise<ImageFiles> {
  const { files } = await open();
  await addImage(files);
  await files.putName(nameRecord(reference, image));
  return files;
}

async function addImage(files: ImageFiles): Promise<void> {
  const rootfs = join(files.tmp, "x.erofs");
  await writeFile(rootfs, "rootfs!");
  await files.addImage(imageRecord(image, 7), rootfs);
}

async function all(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

test("a directory that is not there is made, for nobody else to enter", async () => {
  const { images, names } = await open();
  assert.deepEqual([images, names], [[], []]);
  for (const directory of ["tmp", "blobs/sha256", "blobs/sha512", "images", "rootfs", "references"]) {
    assert.equal((await stat(join(root, directory))).mode & 0o777, 0o700, directory);
  }
});

test("what was written is read again", async () => {
  await fill();
  const { images, names, files, lines } = await open();
  assert.deepEqual(
    images.map(({ digest, size_bytes }) => [digest, size_bytes]),
    [[image.digest, 7]],
  );
  assert.deepEqual(names, [nameRecord(reference, image)]);
  assert.equal(await readFile(files.rootfsOf(EROFS), "utf8"), "rootfs!");
  assert.deepEqual(lines, []);
});

test("nothing but the image, its record and its name are kept", async () => {
  await fill();
  assert.equal((await all()).length, 3);
});

test("what is removed is gone for good", async () => {
  const files = await fill();
  await files.removeName(reference);
  await files.discard(await files.removeImage(EROFS));
  await files.discard(await files.removeImage(EROFS));
  assert.deepEqual(await all(), []);
});

/** A directory that has one image, kept as a directory, with one name. */
async function fillWithTree(): Promise<ImageFiles> {
  const { files } = await open();
  await addTree(files);
  await files.putName(nameRecord(reference, image));
  return files;
}

async function addTree(files: ImageFiles): Promise<void> {
  const tree = join(files.tmp, "tree");
  await mkdir(join(tree, "rootfs/etc"), { recursive: true });
  await writeFile(join(tree, "rootfs/etc/passwd"), "root");
  await files.addImage({ ...imageRecord(image, 4096), rootfs_type: "directory" }, tree);
}

describe("an image that is a directory", () => {
  test("is read again, alone in its parent", async () => {
    await fillWithTree();
    const { images, files, lines } = await open();
    assert.deepEqual(
      images.map(({ rootfs_type, size_bytes }) => [rootfs_type, size_bytes]),
      [["directory", 4096]],
    );
    assert.equal(await readFile(join(files.rootfsOf(DIRECTORY), "etc/passwd"), "utf8"), "root");
    assert.deepEqual(await readdir(join(files.rootfsOf(DIRECTORY), "..")), ["rootfs"]);
    assert.deepEqual(lines, []);
  });

  test("is removed with all that is in it", async () => {
    const files = await fillWithTree();
    await files.removeName(reference);
    await files.discard(await files.removeImage(DIRECTORY));
    assert.deepEqual(await all(), []);
    assert.deepEqual(await readdir(join(root, "rootfs")), []);
  });

  test("goes when it has no name, no record or no files", async () => {
    for (const damage of [
      (files: ImageFiles) => files.removeName(reference),
      () => rm(join(root, "images"), { recursive: true }),
      (files: ImageFiles) => rm(files.rootfsOf(DIRECTORY), { recursive: true }),
    ]) {
      await damage(await fillWithTree());
      assert.deepEqual((await open()).images, []);
      assert.deepEqual(await readdir(join(root, "rootfs")), []);
    }
  });

  test("can be taken in after its record could not be written", async () => {
    const { files } = await open();
    await rm(join(root, "images"), { recursive: true });
    await assert.rejects(addTree(files), { code: "ENOENT" });
    await mkdir(join(root, "images"));
    await addTree(files);
  });
});

test("a name that is as long as names may be, with characters that files cannot have, is kept", async () => {
  const files = await fill();
  const long = `registry.example:5000/${"a/".repeat(127)}b:${"t".repeat(128)}@${image.digest}`;
  await files.putName(nameRecord(long, image));
  assert.equal((await open()).names.length, 2);
});

describe("what a killed process has left is removed, and the rest is read", () => {
  const cases: [
    name: string,
    damage: (files: ImageFiles) => Promise<unknown>,
    left: { images: number; names: number },
  ][] = [
    [
      "an image half unpacked, a blob half down, a record half written",
      async ({ tmp }) => {
        await mkdir(join(tmp, "image-x/rootfs/etc"), { recursive: true });
        await writeFile(join(tmp, "image-x/rootfs/etc/passwd"), "root");
        await writeFile(join(tmp, "blob-x"), "half");
        await writeFile(join(tmp, "record-x"), "half");
      },
      { images: 1, names: 1 },
    ],
    [
      "blobs",
      ({ blobs }) => writeFile(join(blobs, "sha256", "a".repeat(64)), "blob"),
      { images: 1, names: 1 },
    ],
    [
      "a root file system without a record",
      () => writeFile(join(root, "rootfs", `${"a".repeat(64)}.erofs`), "rootfs"),
      { images: 1, names: 1 },
    ],
    ["an image without a name", (files) => files.removeName(reference), { images: 0, names: 0 }],
    ["a record without a root file system", (files) => rm(files.rootfsOf(EROFS)), { images: 0, names: 0 }],
    ["a root file system cut short", (files) => truncate(files.rootfsOf(EROFS), 3), { images: 0, names: 0 }],
    [
      "a damaged image record",
      () => writeFile(join(root, "images", `${image.digest.slice(7)}.json`), "{"),
      { images: 0, names: 0 },
    ],
    [
      "a record under another image's name",
      async () => {
        const record = JSON.stringify(imageRecord(image, 7));
        await writeFile(join(root, "images", `${"b".repeat(64)}.json`), record);
      },
      { images: 1, names: 1 },
    ],
    [
      "a damaged name record",
      () => writeFile(join(root, "references", "x.json"), ""),
      { images: 1, names: 1 },
    ],
    [
      "a name of an image that is not there",
      (files) => files.putName(nameRecord("docker.io/library/x:1", someImage("other"))),
      { images: 1, names: 1 },
    ],
    [
      "things that are nobody's",
      () => mkdir(join(root, "images/x/y"), { recursive: true }),
      { images: 1, names: 1 },
    ],
  ];
  for (const [name, damage, left] of cases) {
    test(name, async () => {
      await damage(await fill());
      const { images, names } = await open();
      assert.deepEqual({ images: images.length, names: names.length }, left);
      assert.equal((await all()).length, 2 * left.images + left.names);
      const { lines } = await open();
      assert.deepEqual(lines, [], "the next start has nothing to complain of");
    });
  }
});
