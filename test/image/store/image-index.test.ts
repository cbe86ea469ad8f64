import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Background } from "../../../src/image/background.ts";
import { parseReference } from "../../../src/image/reference.ts";
import { ImageFiles } from "../../../src/image/store/image-files.ts";
import { ImageIndex, type StoredImage } from "../../../src/image/store/image-index.ts";
import { imageRecord, someImage } from "../support/records.ts";
import { TestClock } from "../support/test-clock.ts";
import { testLog } from "../support/test-log.ts";

const image = someImage();
const python = parseReference("python:3");
const clock = new TestClock();
let root = "";
let files: ImageFiles;
let background: Background;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "boxer-image-index-"));
  const { log } = testLog();
  files = new ImageFiles(root, log);
  background = new Background(log);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = () => ImageIndex.open(files, clock, background);
const facts = (reference: string, content = image) => ({
  reference,
  resolved: content.digest,
  imported: false,
  checked_at_ms: clock.now(),
});

async function add(index: ImageIndex, content = image): Promise<StoredImage> {
  const rootfs = join(files.tmp, "x.erofs");
  await writeFile(rootfs, "rootfs!");
  return await index.add(imageRecord(content, 7), rootfs);
}

/** Root file systems on disk, once all removals have ended. */
async function onDisk(): Promise<number> {
  await background.settled();
  return (await readdir(join(root, "rootfs"))).length;
}

test("an image is found by name and by digest, and again after a restart", async () => {
  const index = await open();
  const stored = await add(index);
  assert.equal(await index.setName(stored, facts(python.text)), true);
  for (const opened of [index, await open()]) {
    assert.equal(opened.name(python.text)?.image.digest, image.digest);
    assert.equal(opened.image(image.digest)?.size_bytes, 7);
    const lease = opened.lease(opened.image(image.digest) as StoredImage, python);
    assert.deepEqual(lease?.image, {
      digest: image.digest,
      reference: "docker.io/library/python:3",
      rootfs: files.rootfsOf(image.digest),
      config: { env: [], working_dir: "/", entrypoint: [], cmd: ["run"], user: "" },
      size_bytes: 7,
    });
  }
});

test("an image that is added twice is the first one", async () => {
  const index = await open();
  assert.equal(await add(index), await add(index));
  assert.equal(index.list().length, 1);
});

test("an image goes with its last name", async () => {
  const index = await open();
  const stored = await add(index);
  await index.setName(stored, facts(python.text));
  await index.setName(stored, facts("docker.io/library/x:1"));
  assert.equal(await index.removeName(python.text), "removed");
  assert.equal(await index.removeName(python.text), "not_found");
  assert.equal(await onDisk(), 1);
  assert.equal(await index.removeName("docker.io/library/x:1"), "removed");
  assert.equal(index.image(image.digest), undefined);
  assert.equal(await onDisk(), 0);
});

test("by digest an image goes with all its names", async () => {
  const index = await open();
  const stored = await add(index);
  for (const name of [python.text, "docker.io/library/x:1"]) await index.setName(stored, facts(name));
  assert.equal(await index.removeImage(image.digest), "removed");
  assert.equal(await index.removeImage(image.digest), "not_found");
  assert.equal(index.name(python.text), undefined);
  assert.equal(await onDisk(), 0);
  assert.deepEqual(await readdir(join(root, "references")), []);
});

test("an image in use is kept with its last name until it is released", async () => {
  const index = await open();
  const stored = await add(index);
  await index.setName(stored, facts(python.text));
  const lease = index.lease(stored, python);
  assert.equal(await index.removeName(python.text), "in_use");
  assert.equal(await index.removeImage(image.digest), "in_use");
  assert.equal(await onDisk(), 1);
  lease?.release();
  assert.equal(await index.removeName(python.text), "removed");
  assert.equal(await onDisk(), 0);
});

test("when a name moves on, the image it leaves goes, but not while it is in use", async () => {
  const index = await open();
  const old = await add(index);
  await index.setName(old, facts(python.text));
  const leases = [index.lease(old, python), index.lease(old, python)];
  const fresh = await add(index, someImage("new"));
  await index.setName(fresh, facts(python.text, someImage("new")));
  assert.equal(index.name(python.text)?.image, fresh);
  assert.equal(await onDisk(), 2);
  leases[0]?.release();
  leases[0]?.release();
  assert.equal(await onDisk(), 2, "a lease released twice counts once");
  leases[1]?.release();
  assert.equal(await onDisk(), 1);
  assert.equal(index.image(old.digest), undefined);
});

test("an image that has no name yet is not taken away from the pull that made it", async () => {
  const index = await open();
  const stored = await add(index);
  index.lease(stored, python)?.release();
  assert.equal(await onDisk(), 1);
  assert.equal(await index.setName(stored, facts(python.text)), true);
});

test("an image that was removed gets neither lease nor name", async () => {
  const index = await open();
  const stored = await add(index);
  await index.setName(stored, facts(python.text));
  await index.removeName(python.text);
  assert.equal(index.lease(stored, python), undefined);
  assert.equal(await index.setName(stored, facts(python.text)), false);
  assert.equal(index.name(python.text), undefined);
});

test("an image that is added again while the old one is being removed is there", async () => {
  const index = await open();
  for (let round = 0; round < 10; round++) {
    const stored = await add(index);
    await index.setName(stored, facts(python.text));
    assert.equal(await index.removeName(python.text), "removed");
  }
  await index.setName(await add(index), facts(python.text));
  assert.equal(await onDisk(), 1);
  assert.equal((await open()).list().length, 1);
});

test("the list shows names, use, and why a registry could not be asked", async () => {
  const index = await open();
  const stored = await add(index);
  await index.setName(stored, facts(python.text));
  const name = index.name(python.text);
  assert.ok(name);
  name.unreachable = { reason: "cannot reach it", until_ms: 0 };
  index.lease(stored, python)?.release();
  index.lease(stored, python);
  assert.deepEqual(index.list(), [
    {
      digest: image.digest,
      size_bytes: 7,
      layers: 1,
      pulled_at_ms: 1000,
      last_used_at_ms: clock.now(),
      uses: 2,
      in_use: 1,
      references: [
        {
          reference: python.text,
          imported: false,
          checked_at_ms: clock.now(),
          unreachable: "cannot reach it",
        },
      ],
    },
  ]);
});
