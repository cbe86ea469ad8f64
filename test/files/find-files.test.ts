import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { countFiles, findFiles } from "../../src/files/find-files.ts";
import { openTestStore, type TestStore } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
});
afterEach(() => files.remove());

async function find(unchanged_since_ms?: number) {
  const onComplaint = assert.fail;
  const options = unchanged_since_ms === undefined ? { onComplaint } : { unchanged_since_ms, onComplaint };
  const found = await Array.fromAsync(findFiles(platform, files.root, options));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

test("files are found at any depth, whatever their names", async () => {
  await files.put("a/b/c/naïve\n file", "four");
  await files.put("1 2 3", "");
  const found = await find();
  assert.deepEqual(
    found.map(({ path, size_bytes }) => [path, size_bytes]),
    [
      ["1 2 3", 0],
      ["a/b/c/naïve\n file", 4],
    ],
  );
  const { ctimeMs } = await stat(join(files.root, "1 2 3"));
  assert.ok(Math.abs((found[0]?.changed_ms ?? 0) - ctimeMs) <= 1000);
});

test("only those unchanged since a time are found when one is given", async () => {
  await files.put("file", "text");
  const { ctimeMs } = await stat(join(files.root, "file"));
  assert.equal((await find(ctimeMs - 5000)).length, 0);
  assert.equal((await find(ctimeMs + 5000)).length, 1);
});

test("counting tells files and bytes, and complains of a directory that is not there", async () => {
  assert.deepEqual(await countFiles(platform, files.root), { files: 0, bytes: 0 });
  await files.put("a/b", "four");
  await files.put("c", "seventh");
  assert.deepEqual(await countFiles(platform, files.root), { files: 2, bytes: 11 });
  await assert.rejects(
    countFiles(platform, join(files.root, "missing")),
    /Cannot count the files in .*missing/,
  );
});
