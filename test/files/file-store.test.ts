import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { silentLog } from "../../src/core/log.ts";
import { openFileStore } from "../../src/files/file-store.ts";
import { chunksOf, openFilesBelow, openTestStore, type TestStore, UNBOUNDED } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
});
afterEach(async () => {
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

test("what is written can be read, under the one spelling of its path", async () => {
  assert.equal(await files.put("./a//b", "text"), "a/b");
  assert.equal(await files.get("a/b"), "text");
  assert.equal(await files.get("a/./b"), "text");
});

test("the store's directories are closed to other users of the host", async () => {
  for (const directory of [files.root, files.staging]) {
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  }
});

test("opening a store empties its staging directory and keeps the files", async () => {
  await files.put("file", "text");
  await mkdir(join(files.staging, "left/over"), { recursive: true });
  await writeFile(join(files.staging, "half an upload"), "");
  const { root, staging } = files;
  const again = await openFileStore({ root, staging, log: silentLog, platform, config: UNBOUNDED });
  assert.deepEqual(await readdir(staging), []);
  await (await again.open("file")).close();
});

test("a staged file is nowhere until it is kept", async () => {
  const staged = await files.store.stage(chunksOf("text"), 100);
  assert.equal(staged.size_bytes, 4);
  assert.deepEqual(await files.list(), []);
  assert.equal(await staged.keepAs("file"), "file");
  assert.equal(await files.get("file"), "text");
});

test("a staged file that is discarded, or cannot be kept, leaves nothing", async () => {
  await (await files.store.stage(chunksOf("text"), 100)).discard();
  await assert.rejects((await files.store.stage(chunksOf("text"), 100)).keepAs("output/x"), {
    code: "invalid_path",
  });
  assert.deepEqual(await files.list(), []);
});

test("a file that is missing, or a directory, is not found", async () => {
  await files.put("a/b", "text");
  for (const path of ["missing", "a", "a/b/c", "a/missing"]) {
    await assert.rejects(files.store.open(path), {
      code: "not_found",
      field: "path",
      message: `There is no file "${path}"`,
    });
  }
  assert.deepEqual(await openFilesBelow(files.root), []);
});

test("an open file is told by size, time and version; other contents have another version", async () => {
  await files.put("file", "one");
  const first = await files.store.open("file");
  const again = await files.store.open("file");
  await files.put("file", "two");
  const second = await files.store.open("file");
  assert.equal(first.size_bytes, 3);
  assert.ok(Math.abs(first.modified.getTime() - Date.now()) < 60_000);
  assert.match(first.version, /^[a-z0-9-]+$/);
  assert.equal(again.version, first.version);
  assert.notEqual(second.version, first.version);
  await Promise.all([first, again, second].map((file) => file.close()));
});

test("a reader that has begun gets the whole old file when it is overwritten or removed", async () => {
  await files.put("file", "old");
  const readers = await Promise.all([files.store.open("file"), files.store.open("file")]);
  const bodies = await Promise.all(readers.map((file) => file.body({ start: 0, length: 3 })));
  await files.put("file", "newer");
  assert.deepEqual(await Promise.all(bodies.map((body) => new Response(body).text())), ["old", "old"]);
});

test("uploads under one path at once leave one of them, whole", async () => {
  const texts = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(10_000));
  await Promise.all(texts.map((text) => files.put("a/file", text)));
  assert.ok(texts.includes(await files.get("a/file")));
  assert.deepEqual(await files.list(), ["a/", "a/file"]);
});

test("uploads into a directory that removals empty meanwhile all succeed", async () => {
  const cycle = async (name: string) => {
    for (let round = 0; round < 150; round += 1) {
      await files.put(`a/b/${name}`, "text");
      const run = join(files.runs, `${name}-${round}`);
      await mkdir(run);
      await (await files.store.hold([`a/b/${name}`], run)).release({ remove: true });
    }
  };
  await Promise.all([cycle("one"), cycle("two")]);
  assert.deepEqual(await files.list(), []);
});
