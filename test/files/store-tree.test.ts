import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { StoreTree } from "../../src/files/store-tree.ts";
import { NoRoomError, StoreUsage } from "../../src/files/store-usage.ts";
import { listTree, openFilesBelow } from "../support/file-store.ts";

let home: string;
let root: string;
let tree: StoreTree;
let usage: StoreUsage;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "boxer-tree-"));
  root = join(home, "root");
  await mkdir(root);
  usage = new StoreUsage(0, Number.POSITIVE_INFINITY);
  tree = new StoreTree(root, usage);
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

function removeInode(path: string, wanted: bigint): Promise<number | undefined> {
  return tree.remove(path, ({ inode }) => inode === wanted);
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
  await removeInode("a/b/c/d/file", await inodeOf("a/b/c/d/file"));
  assert.deepEqual(await listTree(root), ["a/", "a/sibling"]);
  await removeInode("a/sibling", await inodeOf("a/sibling"));
  assert.deepEqual(await listTree(root), []);
});

test("removing spares a file that is another by now, and what is gone is no fault", async () => {
  await tree.place(await temporary("old"), "a/file");
  const inode = await inodeOf("a/file");
  await tree.place(await temporary("new"), "a/file");
  await removeInode("a/file", inode);
  assert.equal(await read("a/file"), "new");
  await removeInode("a/missing", inode);
  await removeInode("missing/file", inode);
  await removeInode("a/file/x", inode);
});

test("directories move in and out whole, and those above them go when they are empty", async () => {
  await mkdir(join(home, "made"));
  await writeFile(join(home, "made/file"), "text");
  await tree.placeDirectory(join(home, "made"), "output/boxer-1", 4);
  assert.equal(await read("output/boxer-1/file"), "text");
  assert.equal(await tree.takeDirectory("output/boxer-1/file", join(home, "no directory")), false);
  assert.equal(await tree.takeDirectory("output/boxer-1", join(home, "taken")), true);
  assert.equal(await tree.takeDirectory("output/boxer-1", join(home, "again")), false);
  assert.deepEqual(await listTree(home), ["root/", "taken/", "taken/file"]);
});

test("the usage is told of each file that comes, is replaced, or goes", async () => {
  await tree.place(await temporary("four"), "a/file");
  await tree.place(await temporary("seventh"), "b");
  assert.equal(usage.size_bytes, 11);
  await tree.place(await temporary("six..."), "a/file");
  assert.equal(usage.size_bytes, 13);
  assert.equal(await tree.remove("a/file", () => false), undefined);
  assert.equal(usage.size_bytes, 13);
  assert.equal(await tree.remove("a/file", () => true), 6);
  assert.equal(await tree.remove("a/file", () => true), undefined);
  assert.equal(usage.size_bytes, 7);
});

test("what does not fit changes nothing, and a smaller file in the place of a larger one always fits", async () => {
  await tree.place(await temporary("four"), "file");
  tree = new StoreTree(root, new StoreUsage(4, 5));
  await assert.rejects(tree.place(await temporary("too"), "new/file"), NoRoomError);
  await assert.rejects(tree.place(await temporary("six..."), "file"), NoRoomError);
  await tree.place(await temporary("five."), "file");
  tree = new StoreTree(root, new StoreUsage(5, 1));
  await tree.place(await temporary("two"), "file");
  assert.equal(await read("file"), "two");
  assert.deepEqual(await listTree(root), ["file"]);
});

test("removing an empty file takes its directories too", async () => {
  await tree.place(await temporary(""), "a/b/empty");
  assert.equal(await tree.remove("a/b/empty", () => true), 0);
  assert.deepEqual(await listTree(root), []);
});

test("syncing a file's name does no harm, also when it is gone", async () => {
  await tree.place(await temporary("text"), "a/b/file");
  await tree.sync("a/b/file");
  await tree.sync("missing/file");
  assert.equal(await read("a/b/file"), "text");
});
