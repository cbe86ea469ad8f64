import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { StoreTree } from "../../src/files/store-tree.ts";
import { listTree, openFilesBelow } from "../support/file-store.ts";

let home: string;
let root: string;
let tree: StoreTree;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "boxer-tree-"));
  root = join(home, "root");
  await mkdir(root);
  tree = new StoreTree(root);
});
afterEach(async () => {
  assert.deepEqual(await openFilesBelow(home), []);
  await rm(home, { recursive: true, force: true });
});

async function temporary(text: string): Promise<string> {
  const path = join(home, `temporary-${text}`);
  await writeFile(path, text);
  return path;
}

async function inodeOf(path: string): Promise<bigint> {
  return (await stat(join(root, path), { bigint: true })).ino;
}

async function read(path: string): Promise<string | undefined> {
  const handle = await tree.open(path);
  const text = await handle?.readFile("utf8");
  await handle?.close();
  return text;
}

test("a placed file is the very file, with the directories above it", async () => {
  await tree.place(await temporary("one"), "a/b/file");
  assert.equal(await read("a/b/file"), "one");
  assert.deepEqual(await listTree(home), ["root/", "root/a/", "root/a/b/", "root/a/b/file"]);
});

test("placing over a file replaces it for those who come later", async () => {
  await tree.place(await temporary("old"), "file");
  const before = await tree.open("file");
  await tree.place(await temporary("new"), "file");
  assert.equal(await before?.readFile("utf8"), "old");
  assert.equal(await read("file"), "new");
  await before?.close();
});

test("a file does not replace a directory, nor a directory a file", async () => {
  await tree.place(await temporary("one"), "a/file");
  const source = await temporary("two");
  await assert.rejects(tree.place(source, "a"), {
    code: "invalid_path",
    field: "path",
    message: 'Cannot use path "a": a directory of that name exists',
  });
  await assert.rejects(tree.place(source, "a/file/x"), {
    code: "invalid_path",
    field: "path",
    message: 'Cannot use path "a/file/x": "a/file" is not a directory',
  });
  assert.equal(await read("a/file"), "one");
});

test("a link, a directory, a fifo and a device are no files to read or to hold", async () => {
  await mkdir(join(root, "directory"));
  await symlink("/etc/passwd", join(root, "link"));
  await promisify(execFile)("mkfifo", [join(root, "fifo")]);
  for (const path of ["directory", "link", "fifo", "missing", "missing/x", "link/x"]) {
    assert.equal(await tree.open(path), undefined, path);
    assert.equal(await tree.link(path, join(home, "pinned")), undefined, path);
  }
  assert.deepEqual(await listTree(home), ["root/", "root/directory/", "root/fifo", "root/link"]);
});

test("a hard link keeps the contents after the path has got others", async () => {
  await tree.place(await temporary("old"), "file");
  const inode = await tree.link("file", join(home, "pinned"));
  assert.equal(inode, await inodeOf("file"));
  await tree.place(await temporary("new"), "file");
  assert.equal(await readFile(join(home, "pinned"), "utf8"), "old");
  assert.notEqual(await inodeOf("file"), inode);
});

test("removing takes the directories that are empty then, and no others", async () => {
  await tree.place(await temporary("one"), "a/b/c/d/file");
  await tree.place(await temporary("two"), "a/sibling");
  await tree.remove("a/b/c/d/file", await inodeOf("a/b/c/d/file"));
  assert.deepEqual(await listTree(root), ["a/", "a/sibling"]);
  await tree.remove("a/sibling", await inodeOf("a/sibling"));
  assert.deepEqual(await listTree(root), []);
});

test("removing spares a file that is another by now, and what is gone is no fault", async () => {
  await tree.place(await temporary("old"), "a/file");
  const inode = await inodeOf("a/file");
  await tree.place(await temporary("new"), "a/file");
  await tree.remove("a/file", inode);
  assert.equal(await read("a/file"), "new");
  await tree.remove("a/missing", inode);
  await tree.remove("missing/file", inode);
  await tree.remove("a/file/x", inode);
});

test("directories move in and out whole", async () => {
  await mkdir(join(home, "made"));
  await writeFile(join(home, "made/file"), "text");
  await tree.placeDirectory(join(home, "made"), "output/boxer-1");
  assert.equal(await read("output/boxer-1/file"), "text");
  await tree.takeDirectory("output/boxer-1", join(home, "taken"));
  await tree.takeDirectory("output/boxer-1", join(home, "again"));
  assert.deepEqual(await listTree(home), ["root/", "root/output/", "taken/", "taken/file"]);
});
