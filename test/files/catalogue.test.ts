import assert from "node:assert/strict";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { silentLog } from "../../src/core/log.ts";
import { type FileList, openFileStore } from "../../src/files/file-store.ts";
import type { Platform } from "../../src/platform/platform.ts";
import { openTestStore, type TestStore, touchMany, UNBOUNDED } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
  for (const path of ["a/b", "a/bc", "a/b.d/e", "a/c/d", "z"]) await files.put(path, path);
});
afterEach(async () => {
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

const page = { after: "", limit: 100 };
const pathsOf = async (prefix: string) =>
  (await files.store.list(prefix, page)).files.map(({ path }) => path);

test("a list tells path, size and times", async () => {
  const { mtimeMs, ctimeMs } = await stat(join(files.root, "z"));
  const { files: listed, next } = await files.store.list("z", page);
  const [modified_ms, used_ms] = [mtimeMs, ctimeMs].map(Math.floor);
  assert.deepEqual(listed, [{ path: "z", size_bytes: 1, modified_ms, used_ms }]);
  assert.equal(next, undefined);
});

test("a prefix is matched by whole names, in any of its spellings", async () => {
  for (const prefix of ["", ".", "./"]) {
    assert.deepEqual(await pathsOf(prefix), ["a/b", "a/b.d/e", "a/bc", "a/c/d", "z"], prefix);
  }
  for (const prefix of ["a/c", "a/c/", "./a//c", "a/c//", "a/c/."]) {
    assert.deepEqual(await pathsOf(prefix), ["a/c/d"], prefix);
  }
  assert.deepEqual(await pathsOf("a/b"), ["a/b"]);
  assert.deepEqual(await pathsOf("a/"), ["a/b", "a/b.d/e", "a/bc", "a/c/d"]);
  for (const prefix of ["missing", "a/b/c", "A"]) assert.deepEqual(await pathsOf(prefix), [], prefix);
});

test("pages of any size give all files once, in order", async () => {
  for (const limit of [1, 2, 3, 5, 6]) {
    const seen: string[] = [];
    let after: string | undefined = "";
    while (after !== undefined) {
      const { files: listed, next } = await files.store.list("", { after, limit });
      assert.ok(listed.length <= limit);
      seen.push(...listed.map(({ path }) => path));
      after = next;
    }
    assert.deepEqual(seen, ["a/b", "a/b.d/e", "a/bc", "a/c/d", "z"], String(limit));
  }
});

test("a hundred thousand files are listed in pages, in order, each page no larger than asked for", async () => {
  await mkdir(join(files.root, "many/deep"), { recursive: true });
  for (const directory of ["many", "many/deep"]) await touchMany(join(files.root, directory), 50_000);
  const numbers = Array.from({ length: 50_000 }, (_, index) => String(index + 1));
  const expected = numbers.flatMap((number) => [`many/${number}`, `many/deep/${number}`]).sort();
  const seen: string[] = [];
  let after: string | undefined = "";
  while (after !== undefined) {
    const { files: listed, next }: FileList = await files.store.list("many", { after, limit: 10_000 });
    assert.equal(listed.length, 10_000);
    for (const { path } of listed) seen.push(path);
    after = next;
  }
  assert.ok(seen.length === expected.length && seen.every((path, index) => path === expected[index]));
  assert.deepEqual(await files.store.removeBelow("many"), { files: 100_000, bytes: 0 });
});

test("what cannot be counted when it is removed stays counted until the next start clears it away", async () => {
  const { root, staging } = files;
  let isHostFull = false;
  const spawn: Platform["spawn"] = (argv, options) => {
    if (isHostFull) throw Object.assign(new Error("Too many open files"), { code: "EMFILE" });
    return platform.spawn(argv, options);
  };
  const options = { root, staging, log: silentLog, platform: { ...platform, spawn }, config: UNBOUNDED };
  const store = await openFileStore(options);
  const { size_bytes } = store.usage();
  isHostFull = true;
  await assert.rejects(store.removeBelow("a"), { code: "EMFILE" });
  assert.equal(store.usage().size_bytes, size_bytes);
  isHostFull = false;
  assert.equal((await openFileStore(options)).usage().size_bytes, 1);
});

test("one file is removed by its path, and a directory is none", async () => {
  assert.deepEqual(await files.store.remove("./a//b"), { files: 1, bytes: 3 });
  for (const path of ["a/b", "a", "missing"]) {
    assert.deepEqual(await files.store.remove(path), { files: 0, bytes: 0 }, path);
  }
  assert.deepEqual(await pathsOf(""), ["a/b.d/e", "a/bc", "a/c/d", "z"]);
});

test("what is removed below a prefix is what a list of it shows", async () => {
  assert.deepEqual(await files.store.removeBelow("a/b"), { files: 1, bytes: 3 });
  assert.deepEqual(await files.store.removeBelow("a/c/"), { files: 1, bytes: 5 });
  assert.deepEqual(await files.store.removeBelow("missing"), { files: 0, bytes: 0 });
  assert.deepEqual(await pathsOf(""), ["a/b.d/e", "a/bc", "z"]);
  assert.deepEqual(await files.store.removeBelow("a"), { files: 2, bytes: 11 });
  assert.deepEqual(await files.list(), ["z"]);
});

test("nothing is removed below the prefix that is everything, however it is spelt", async () => {
  for (const prefix of ["", ".", "./", "././", ".//"]) {
    await assert.rejects(files.store.removeBelow(prefix), { code: "invalid_path", field: "prefix" }, prefix);
  }
  assert.equal((await pathsOf("")).length, 5);
});

test("a run keeps the file that is removed while it has it", async () => {
  const run = join(files.runs, "run");
  await mkdir(run);
  const hold = await files.store.hold(["a/c/d"], run);
  await files.store.removeBelow("a");
  assert.equal((await stat(hold.paths[0]?.source ?? "")).size, 5);
  await files.put("a/c/d", "another");
  await hold.release({ remove: true });
  assert.equal(await files.get("a/c/d"), "another");
});

test("the kept count is the sum of what is listed, and a store opened anew counts the same", async () => {
  await files.put("a/b", "longer than before");
  await files.store.removeBelow("a/c");
  await files.store.remove("z");
  const { files: listed } = await files.store.list("", page);
  const size_bytes = listed.reduce((sum, file) => sum + file.size_bytes, 0);
  assert.equal(files.store.usage().size_bytes, size_bytes);
  const { root, staging } = files;
  const again = await openFileStore({ root, staging, log: silentLog, platform, config: UNBOUNDED });
  assert.deepEqual(again.usage(), { size_bytes, quota_bytes: Number.POSITIVE_INFINITY });
});
