import assert from "node:assert/strict";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { walkFiles } from "../../src/files/walk-files.ts";
import { openFilesBelow, openTestStore, type TestStore } from "../support/file-store.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
});
afterEach(async () => {
  assert.deepEqual(await openFilesBelow(files.root), []);
  await files.remove();
});

const PATHS = ["a-b", "a.txt", "a/b", "a/b.c", "a0", "a/c/d/e", "a/c/d/f", "b/a", "é", "\n"];
const SORTED = PATHS.toSorted();
const walk = (directory = "", after = "") => Array.fromAsync(walkFiles(files.root, directory, after));

test("the order is that of the whole paths, though a directory is walked as one", async () => {
  for (const path of PATHS) await files.put(path, "");
  assert.deepEqual(await walk(), SORTED);
  assert.deepEqual(await walk("a"), ["a/b", "a/b.c", "a/c/d/e", "a/c/d/f"]);
  assert.deepEqual(await walk("a/c/d"), ["a/c/d/e", "a/c/d/f"]);
});

test("a walk goes on behind any path, of a file that is there or not", async () => {
  for (const path of PATHS) await files.put(path, "");
  for (const after of [...PATHS, "a", "a/", "a/c", "a/c/d/ee", "a/b/x", "zz", "A"]) {
    assert.deepEqual(
      await walk("", after),
      SORTED.filter((path) => path > after),
      after,
    );
  }
});

test("nothing is in a directory that is missing, a file, or behind a link", async () => {
  await files.put("a/file", "");
  await symlink("a", join(files.root, "link"));
  await mkdir(join(files.root, "empty"));
  for (const directory of ["missing", "a/file", "link", "empty", "a/file/x"]) {
    assert.deepEqual(await walk(directory), [], directory);
  }
  assert.deepEqual(await walk(), ["a/file"]);
});

test("what is removed while it is walked is left out", async () => {
  for (const path of ["a/1", "b/1", "b/2", "c/1"]) await files.put(path, "");
  const seen: string[] = [];
  for await (const path of walkFiles(files.root, "", "")) {
    seen.push(path);
    if (path === "a/1") await rm(join(files.root, "b"), { recursive: true });
  }
  assert.deepEqual(seen, ["a/1", "c/1"]);
});

test("a walk that is given up leaves nothing open", async () => {
  for (const path of ["a/b/1", "a/b/2"]) await files.put(path, "");
  for await (const path of walkFiles(files.root, "", "")) {
    assert.equal(path, "a/b/1");
    break;
  }
});

test("a directory that goes between its opening and its reading is left out", async () => {
  await files.put("kept/file", "");
  let isWalking = true;
  const churn = (async () => {
    while (isWalking) {
      await mkdir(join(files.root, "churn"), { recursive: true });
      await rm(join(files.root, "churn"), { recursive: true });
    }
  })();
  try {
    for (let round = 0; round < 500; round += 1) assert.deepEqual(await walk(), ["kept/file"]);
  } finally {
    isWalking = false;
    await churn;
  }
});
