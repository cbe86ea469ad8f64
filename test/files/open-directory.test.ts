import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { NotADirectoryError, openDirectory, openParent, within } from "../../src/files/open-directory.ts";
import { listTree, openFilesBelow } from "../support/file-store.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "boxer-root-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("a directory is opened step by step, and names in it resolve from there", async () => {
  await mkdir(join(root, "a/b"), { recursive: true });
  await writeFile(join(root, "a/b/file"), "here");
  const directory = await openDirectory(root, ["a", "b"]);
  assert.equal(await readFile(within(directory, "file"), "utf8"), "here");
  await directory.close();
});

test("missing steps are made on demand only", async () => {
  await assert.rejects(openDirectory(root, ["a", "b"]), { code: "ENOENT" });
  await (await openDirectory(root, ["a", "b"], { create: true })).close();
  await (await openDirectory(root, ["a", "b"], { create: true })).close();
  assert.deepEqual(await listTree(root), ["a/", "a/b/"]);
});

test("a symbolic link is not followed, wherever it leads", async () => {
  await mkdir(join(root, "real"));
  await symlink("/etc", join(root, "outside"));
  await symlink("real", join(root, "inside"));
  for (const create of [false, true]) {
    await assert.rejects(openDirectory(root, ["outside"], { create }), NotADirectoryError);
    await assert.rejects(openDirectory(root, ["inside", "deeper"], { create }), { path: "inside" });
  }
});

test("a file in the way is told by its path", async () => {
  await mkdir(join(root, "a"));
  await writeFile(join(root, "a/file"), "");
  await assert.rejects(openDirectory(root, ["a", "file", "b"], { create: true }), {
    name: "NotADirectoryError",
    path: "a/file",
  });
});

test("a directory deeper than PATH_MAX is reached", async () => {
  const names = new Array<string>(50).fill("d".repeat(200));
  let directory = await openDirectory(root, names, { create: true });
  for (const _ of names) {
    const parent = await openParent(directory);
    await directory.close();
    directory = parent;
  }
  assert.equal(await readlink(`/proc/self/fd/${directory.fd}`), root);
  await directory.close();
});

test("no handle stays open after a failure", async () => {
  await writeFile(join(root, "file"), "");
  await assert.rejects(openDirectory(root, ["file", "x"]));
  await assert.rejects(openDirectory(root, ["missing"]));
  assert.deepEqual(await openFilesBelow(root), []);
});
