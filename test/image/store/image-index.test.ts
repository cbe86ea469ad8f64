import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Background } from "../../../src/image/background.ts";
import { parseReference } from "../../../src/image/reference.ts";
import { ImageFiles } from "../../../src/image/store/image-files.ts";
import { ImageIndex, type StoredImage } from "../../../src/image/store/image-index.ts";
import { platform } from "../../support/platform.ts";
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
  files = new ImageFiles(root, platform, log);
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
      rootfs: files.rootfsOf({ digest: image.digest, rootfs_type: "erofs" }),
      config: { env: [], working_dir: "/", entrypoint: [], cmd: ["run"], user: "" },
      rootfs_type: "erofs",
      user: { uid: 0, gid: 0 },
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
      created_at_ms: undefined,
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

describe("removal of what nobody uses", () => {
  test("takes what is chosen, and not what is in use or about to be", async () => {
    const index = await open();
    const [idle, busy, arriving] = ["idle", "busy", "arriving"].map((content) => someImage(content));
    assert.ok(idle && busy && arriving);
    for (const content of [idle, busy, arriving]) {
      const stored = await add(index, content);
      if (content !== arriving)
        await index.setName(stored, facts(`docker.io/library/${content.digest}`, content));
      if (content === busy) index.lease(stored, python);
    }
    const removed = await index.removeUnused((images) => images);
    assert.deepEqual(
      removed.map(({ digest }) => digest),
      [idle.digest],
    );
    assert.equal(await onDisk(), 2);
    assert.deepEqual(
      (await open()).list().map(({ digest }) => digest),
      [busy.digest],
    );
  });

  test("lets those go first who waited for the pull that has just ended", async () => {
    const index = await open();
    const stored = await add(index);
    const named = index.setName(stored, facts(python.text));
    const removal = index.removeUnused((images) => images.filter(({ in_use }) => in_use === 0));
    await named;
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    assert.ok(index.lease(stored, python));
    assert.deepEqual(await removal, []);
  });

  test("takes an image from all who come meanwhile at once, not name by name", async () => {
    const index = await open();
    const stored = await add(index);
    for (const name of ["a", "b", "c"]) await index.setName(stored, facts(`docker.io/library/${name}:1`));
    const removal = index.removeUnused((images) => {
      queueMicrotask(() => leases.push(index.lease(stored, python)));
      return images;
    });
    const leases: unknown[] = [];
    assert.equal((await removal).length, 1);
    assert.deepEqual(leases, [undefined]);
    assert.equal(await onDisk(), 0);
  });
});

describe("how images were used", () => {
  const used = async (): Promise<ImageIndex> => {
    const index = await open();
    const stored = await add(index);
    await index.setName(stored, facts(python.text));
    index.lease(stored, python)?.release();
    index.lease(stored, python)?.release();
    return index;
  };
  const usageFile = () => join(root, "usage.json");

  test("survives a restart", async () => {
    const index = await used();
    index.flush();
    await background.settled();
    const [again] = (await open()).list();
    assert.deepEqual([again?.uses, again?.last_used_at_ms], [2, clock.now()]);
  });

  test("is not written with each use", async () => {
    await used();
    await background.settled();
    await assert.rejects(readFile(usageFile()), { code: "ENOENT" });
  });

  test("is forgotten, and nothing else, when its file is damaged", async () => {
    const index = await used();
    index.flush();
    await background.settled();
    await writeFile(usageFile(), "{");
    const [again] = (await open()).list();
    assert.deepEqual([again?.digest, again?.uses, again?.last_used_at_ms], [image.digest, 0, undefined]);
  });

  test("is not kept for images that are gone", async () => {
    const index = await used();
    await index.removeName(python.text);
    index.flush();
    await background.settled();
    assert.equal(await readFile(usageFile(), "utf8"), '{"version":1,"images":{}}');
  });

  test("counts the end of a use as well as its begin", async () => {
    const index = await open();
    const stored = await add(index);
    const lease = index.lease(stored, python);
    clock.advance(5000);
    lease?.release();
    assert.equal(stored.last_used_at_ms, clock.now());
  });
});
