import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryTree } from "../../../src/image/unpack/directory-tree.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

const withTree = (use: (tree: DirectoryTree, path: string) => void | Promise<void>): Promise<void> =>
  withDirectory(async (path) => use(new DirectoryTree(path), path));

test("tells what is there, without following links", () =>
  withTree((tree, path) => {
    const directory = tree.makeDirectory(tree.root, "d");
    writeFileSync(join(path, "f"), "");
    symlinkSync("d", join(path, "l"));
    assert.equal(tree.look(tree.root, "d"), directory);
    assert.equal(tree.look(tree.root, "f"), "other");
    assert.equal(tree.look(tree.root, "l"), "symlink");
    assert.equal(tree.look(tree.root, "none"), "nothing");
  }));

test("makes directories that nobody else can enter, and none where something is", () =>
  withTree((tree, path) => {
    const directory = tree.makeDirectory(tree.makeDirectory(tree.root, "a"), "b");
    assert.equal(statSync(join(path, "a/b")).mode & 0o777, 0o700);
    assert.equal(tree.pathOfDirectory(directory), join(path, "a/b"));
    assert.equal(tree.pathOf(directory, "c"), join(path, "a/b/c"));
    assert.equal(tree.pathOfDirectory(tree.root), path);
    assert.throws(() => tree.makeDirectory(tree.root, "a"), { code: "EEXIST" });
  }));

test("looks at a directory anew once anything but a file was removed", () =>
  withTree(async (tree, path) => {
    const directory = tree.makeDirectory(tree.root, "d");
    symlinkSync("x", join(path, "l"));
    // As on a file system that takes two names for the same.
    renameSync(join(path, "d"), join(path, "elsewhere"));
    symlinkSync("/", join(path, "d"));
    await tree.remove(tree.root, "l");
    assert.equal(tree.look(tree.root, "d"), "symlink");
    assert.equal(tree.has(directory), false);
  }));

test("removes files, links and trees, without following links", () =>
  withTree(async (tree, path) => {
    mkdirSync(join(path, "kept"));
    writeFileSync(join(path, "kept/file"), "");
    symlinkSync("kept", join(path, "link"));
    const directory = tree.makeDirectory(tree.root, "d");
    symlinkSync("../kept", tree.pathOf(directory, "link"));
    for (const name of ["d", "link", "none"]) await tree.remove(tree.root, name);
    assert.equal(tree.look(tree.root, "d"), "nothing");
    assert.equal(tree.look(tree.root, "link"), "nothing");
    assert.ok(existsSync(join(path, "kept/file")));
  }));

test("forgets what it knew of a directory that was removed", () =>
  withTree(async (tree) => {
    const directory = tree.makeDirectory(tree.root, "d");
    const below = tree.makeDirectory(directory, "sub");
    assert.ok(tree.has(below));
    tree.setMetadata(directory, { mode: 0o711, uid: 1, gid: 1, mtime_secs: 1 });
    await tree.remove(tree.root, "d");
    assert.equal(tree.has(directory), false);
    assert.equal(tree.has(below), false);
    const again = tree.makeDirectory(tree.root, "d");
    assert.equal(again.metadata.mode, 0o755);
    assert.equal(tree.look(again, "sub"), "nothing");
  }));

test("knows what the current layer made, and above what", () =>
  withTree((tree) => {
    const a = tree.makeDirectory(tree.root, "a");
    const b = tree.makeDirectory(a, "b");
    tree.beginLayer();
    tree.markMade(b, "f");
    assert.deepEqual(
      [tree.wasMade(b, "f"), tree.wasMade(a, "b"), tree.wasMade(tree.root, "a")],
      [true, true, true],
    );
    assert.deepEqual([tree.wasMade(b, "g"), tree.wasMade(tree.root, "b")], [false, false]);
    tree.beginLayer();
    assert.deepEqual([tree.wasMade(b, "f"), tree.wasMade(tree.root, "a")], [false, false]);
  }));
