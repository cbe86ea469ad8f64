import assert from "node:assert/strict";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryTree } from "../../../src/image/unpack/directory-tree.ts";
import { finishLayer } from "../../../src/image/unpack/finish-layer.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

const METADATA = { mode: 0o711, uid: 0, gid: 0, mtime_secs: 5 };

test("directories get their metadata, parents of other directories as well", () =>
  withDirectory(async (place) => {
    const tree = new DirectoryTree(place);
    const a = tree.makeDirectory(tree.root, "a");
    tree.setMetadata(a, METADATA);
    tree.setMetadata(tree.makeDirectory(a, "b"), METADATA);
    await finishLayer(tree, undefined);
    for (const path of ["a", "a/b"]) {
      const { mode, mtimeMs } = statSync(join(place, path));
      assert.deepEqual([mode & 0o77, mtimeMs], [0o11, 5000]);
    }
    assert.equal(tree.unfinished.size, 0);
  }));

test("what is no longer a directory is left alone, and so is what lies behind it", () =>
  withDirectory(async (place) => {
    mkdirSync(join(place, "outside/b"), { recursive: true, mode: 0o700 });
    mkdirSync(join(place, "root"));
    const tree = new DirectoryTree(join(place, "root"));
    const a = tree.makeDirectory(tree.root, "a");
    tree.setMetadata(tree.makeDirectory(a, "b"), METADATA);
    await tree.remove(tree.root, "a");
    symlinkSync("../outside", join(place, "root/a"));
    await finishLayer(tree, undefined);
    assert.equal(statSync(join(place, "outside/b")).mode & 0o777, 0o700);
  }));

test("an abort ends it", () =>
  withDirectory(async (place) => {
    const reason = new Error("enough");
    await assert.rejects(finishLayer(new DirectoryTree(place), AbortSignal.abort(reason)), reason);
  }));
