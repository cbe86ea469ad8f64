import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rename, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openTestStore, type TestStore } from "../support/file-store.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
});
afterEach(() => files.remove());

const inputsOfARun = () => mkdtemp(join(files.runs, "run-"));

async function holdOne(path: string) {
  const hold = await files.store.hold([path], await inputsOfARun());
  const source = hold.paths[0]?.source ?? "";
  return { hold, read: () => readFile(source, "utf8") };
}

test("a hold gives a host file for each path, in the order asked for", async () => {
  await files.put("a/one", "1");
  await files.put("two", "2");
  const directory = await inputsOfARun();
  const { paths } = await files.store.hold(["two", "./a//one"], directory);
  assert.deepEqual(paths, [
    { path: "two", source: join(directory, "0") },
    { path: "a/one", source: join(directory, "1") },
  ]);
  assert.equal(await readFile(join(directory, "0"), "utf8"), "2");
  assert.equal(await readFile(join(directory, "1"), "utf8"), "1");
});

test("a held file can be read and executed, and not written, by a user that is not its owner", async () => {
  await files.put("run.sh", "#!/bin/sh\n");
  const directory = await inputsOfARun();
  await files.store.hold(["run.sh"], directory);
  assert.equal((await stat(join(directory, "0"))).mode & 0o777, 0o755);
});

test("what a run holds stays as it was when the path is uploaded anew", async () => {
  await files.put("file", "old");
  const { hold, read } = await holdOne("file");
  await files.put("file", "new");
  assert.equal(await read(), "old");
  await hold.release({ remove: false });
  assert.equal(await files.get("file"), "new");
});

test("a release without removal leaves the file, and ends the link", async () => {
  await files.put("file", "text");
  const directory = await inputsOfARun();
  const hold = await files.store.hold(["file"], directory);
  await hold.release({ remove: false });
  assert.equal(await files.get("file"), "text");
  assert.deepEqual(await readdir(directory), []);
});

test("a release that fails goes on where it was when it is asked again, and nobody else's hold is ended", async () => {
  for (const path of ["first", "second"]) await files.put(path, path);
  const directory = await inputsOfARun();
  const hold = await files.store.hold(["first", "second"], directory);
  const { hold: other } = await holdOne("first");
  // A directory in the place of a link: rm(2) without recursion fails.
  await rename(join(directory, "1"), join(directory, "aside"));
  await mkdir(join(directory, "1"));
  await assert.rejects(hold.release({ remove: true }));
  await rmdir(join(directory, "1"));
  await rename(join(directory, "aside"), join(directory, "1"));
  await hold.release({ remove: true });
  assert.deepEqual(await readdir(directory), []);
  assert.deepEqual(await files.list(), ["first"]);
  await other.release({ remove: false });
  assert.deepEqual(await files.list(), []);
});

test("a release with removal takes the file and its empty directories from the store", async () => {
  await files.put("a/b/file", "text");
  await files.put("a/other", "text");
  const { hold } = await holdOne("a/b/file");
  await hold.release({ remove: true });
  assert.deepEqual(await files.list(), ["a/", "a/other"]);
});

for (const order of [
  [0, 1],
  [1, 0],
] as const) {
  test(`of two runs that share a file, it goes with the last to end (${order})`, async () => {
    await files.put("file", "text");
    const runs = [await holdOne("file"), await holdOne("file")];
    await runs[order[0]]?.hold.release({ remove: true });
    assert.equal(await runs[order[1]]?.read(), "text");
    assert.equal(await files.get("file"), "text");
    await runs[order[1]]?.hold.release({ remove: true });
    await assert.rejects(files.get("file"), { code: "not_found" });
  });
}

test("the file goes when any of its holders asked for that", async () => {
  await files.put("file", "text");
  const [asking, keeping] = [await holdOne("file"), await holdOne("file")];
  await asking.hold.release({ remove: true });
  await keeping.hold.release({ remove: false });
  assert.deepEqual(await files.list(), []);
});

test("a newer upload under the path of a held file outlives the removal", async () => {
  await files.put("file", "old");
  const { hold } = await holdOne("file");
  await files.put("file", "new");
  await hold.release({ remove: true });
  assert.equal(await files.get("file"), "new");
});

test("holders of different uploads under one path do not wait for each other", async () => {
  await files.put("file", "old");
  const first = await holdOne("file");
  await files.put("file", "new");
  const second = await holdOne("file");
  await second.hold.release({ remove: true });
  assert.deepEqual(await files.list(), []);
  assert.equal(await first.read(), "old");
  await first.hold.release({ remove: true });
});

test("a second release does nothing", async () => {
  await files.put("file", "text");
  const [first, second] = [await holdOne("file"), await holdOne("file")];
  await first.hold.release({ remove: true });
  await first.hold.release({ remove: true });
  assert.equal(await files.get("file"), "text");
  await second.hold.release({ remove: false });
});

test("a file that is not there is named, and nothing stays held", async () => {
  await files.put("a/here", "text");
  const directory = await inputsOfARun();
  for (const missing of ["missing", "a", "a/here/x"]) {
    await assert.rejects(files.store.hold(["a/here", missing], directory), {
      code: "unknown_file",
      field: "files[1]",
      message: `files[1]: there is no file "${missing}"`,
    });
  }
  assert.deepEqual(await readdir(directory), []);
  await (await holdOne("a/here")).hold.release({ remove: true });
  assert.deepEqual(await files.list(), []);
});

test("a bad path is named", async () => {
  await assert.rejects(files.store.hold(["../../etc/passwd"], await inputsOfARun()), {
    code: "invalid_path",
    field: "files[0]",
  });
});

test("captured outputs can be held as well", async () => {
  const source = join(files.runs, "output");
  await mkdir(source);
  await writeFile(join(source, "result"), "text");
  await files.store.captureOutputs(source, "boxer-1", { max_bytes: 10, max_files: 1, max_depth: 1 });
  const { hold, read } = await holdOne("output/boxer-1/result");
  await files.store.removeBelow("output/boxer-1");
  assert.equal(await read(), "text");
  await hold.release({ remove: true });
});
