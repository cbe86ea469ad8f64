import assert from "node:assert/strict";
import { mkdir, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openDirectory } from "../../src/files/open-directory.ts";
import { removeEmptied, removeEmptyDirectories } from "../../src/files/remove-emptied.ts";
import { openFilesBelow, openTestStore, type TestStore } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
  await mkdir(join(files.root, "a/b/c"), { recursive: true });
});
afterEach(async () => {
  assert.deepEqual(await openFilesBelow(files.root), []);
  await files.remove();
});

async function act<T>(action: () => Promise<T>): Promise<T> {
  const names = ["a", "b", "c"];
  return removeEmptied(await openDirectory(files.root, names), names, action);
}

test("after something was done, the directory goes and those above it as far as they are empty", async () => {
  await writeFile(join(files.root, "a/kept"), "");
  assert.equal(await act(async () => "done"), "done");
  assert.deepEqual(await files.list(), ["a/", "a/kept"]);
});

test("the root stays, and 0 bytes are something", async () => {
  assert.equal(await act(async () => 0), 0);
  assert.deepEqual(await files.list(), []);
  await mkdir(join(files.root, "still-here"));
});

test("after nothing was done, or a fault, all stays", async () => {
  assert.equal(await act(async () => undefined), undefined);
  assert.equal(await act(async () => false), false);
  await assert.rejects(
    act(() => Promise.reject(new Error("a fault"))),
    /^Error: a fault$/,
  );
  assert.deepEqual(await files.list(), ["a/", "a/b/", "a/b/c/"]);
});

test("directories without a file below them are removed, nested ones too, and links not followed", async () => {
  await files.put("d/e/file", "text");
  await mkdir(join(files.root, "d/f"));
  await mkdir(join(files.runs, "outside"));
  await symlink(files.runs, join(files.root, "d/link"));
  await removeEmptyDirectories(platform, files.root);
  await mkdir(join(files.runs, "outside/still-here"));
  await unlink(join(files.root, "d/link"));
  assert.deepEqual(await files.list(), ["d/", "d/e/", "d/e/file"]);
  await assert.rejects(removeEmptyDirectories(platform, `${files.root}/missing`), /missing.*No such file/);
});
