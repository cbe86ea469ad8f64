import assert from "node:assert/strict";
import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { unpackLayer } from "../../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget } from "../../../src/image/unpack/unpack-target.ts";
import {
  directory,
  file,
  gnuLong,
  hardLink,
  header,
  pax,
  symlink,
  tar,
  whiteout,
} from "../../support/tar-builder.ts";
import { AMPLE, chunksOf, contentOf, TAR, withDirectory, withLayers } from "../../support/unpack-fixture.ts";

const privileged = process.geteuid?.() === 0;

/** Unpacks entries one upon the other, once as one layer and once as a layer each, and compares what they leave. */
function leaves(what: string, entries: readonly Buffer[], expected: Record<string, string>): void {
  test(`${what}, in one layer`, () =>
    withLayers([tar(...entries)], async (root) => assert.deepEqual(await contentOf(root), expected)));
  test(`${what}, over layers`, () =>
    withLayers(
      entries.map((entry) => tar(entry)),
      async (root) => assert.deepEqual(await contentOf(root), expected),
    ));
}

describe("an entry takes the place of what was there:", () => {
  const tree = [directory("x"), file("x/a", "1"), symlink("x/b/c", "/")];
  leaves("file over file", [file("x", "1"), file("x", "2")], { x: "2" });
  leaves("file over link", [symlink("x", "y"), file("y", "1"), file("x", "2")], { x: "2", y: "1" });
  leaves("file over directory", [...tree, file("x", "2")], { x: "2" });
  leaves("link over file", [file("x", "1"), symlink("x", "y")], { x: "-> y" });
  leaves("link over link", [symlink("x", "y"), symlink("x", "z")], { x: "-> z" });
  leaves("link over directory", [...tree, symlink("x", "y")], { x: "-> y" });
  leaves("directory over file", [file("x", "1"), directory("x"), file("x/a")], { x: "/", "x/a": "" });
  leaves("directory over link", [directory("y"), symlink("x", "y"), directory("x"), file("x/a")], {
    x: "/",
    "x/a": "",
    y: "/",
  });
  leaves("hard link over file", [file("x", "1"), file("y", "2"), hardLink("x", "y")], { x: "2", y: "2" });
  leaves("hard link over link", [symlink("x", "y"), file("y", "2"), hardLink("x", "y")], { x: "2", y: "2" });
  leaves("hard link over directory", [...tree, file("y", "2"), hardLink("x", "y")], { x: "2", y: "2" });
  leaves(
    "hard link over another name of its file",
    [file("x", "1"), hardLink("y", "x"), hardLink("y", "x")],
    {
      x: "1",
      y: "1",
    },
  );
  leaves("file over one of two names of a file", [file("x", "1"), hardLink("y", "x"), file("x", "2")], {
    x: "2",
    y: "1",
  });
  leaves("device over file", [file("x", "1"), header("x", { type: "3" })], {});
  leaves("device over directory", [...tree, header("x", { type: "6" })], {});
});

describe("a directory entry", () => {
  leaves("keeps what the directory has", [file("x/a", "1"), directory("x", { mode: 0o700 })], {
    x: "/",
    "x/a": "1",
  });

  test("says owner, permissions and time of one that is there", () =>
    withLayers(
      [tar(directory("d", { mode: 0o700 })), tar(directory("d", { mode: 0o1777, mtime: 7 }))],
      async (root) => {
        const { mode, mtimeMs } = statSync(join(root, "d"));
        assert.deepEqual([mode & 0o7777, mtimeMs], [0o1777, 7000]);
      },
    ));

  test("says the time also of one that later layers write to", () =>
    withLayers(
      [tar(directory("d", { mtime: 5 })), tar(file("d/a")), tar(symlink("d/b", "a"))],
      async (root) => {
        assert.equal(statSync(join(root, "d")).mtimeMs, 5000);
      },
    ));

  test("may be of the root itself", () =>
    withLayers([tar(file("a"), directory("./", { mode: 0o711, mtime: 9 }))], async (root) => {
      assert.deepEqual([statSync(root).mode & 0o7777, statSync(root).mtimeMs], [0o711, 9000]);
      assert.deepEqual(readdirSync(root), ["a"]);
    }));

  test("of one that was removed in between begins anew", () =>
    withLayers(
      [tar(directory("d/e", { mode: 0o711, mtime: 5 })), tar(file("d"), directory("d"), file("d/e/f"))],
      async (root) => assert.equal(statSync(join(root, "d/e")).mode & 0o7777, 0o755),
    ));
});

describe("a directory that no entry is of", () => {
  test("has mode 755, root as owner, and no time", () =>
    withLayers([tar(file("a/b/c"))], async (root) => {
      for (const path of ["a", "a/b", "."]) {
        const { mode, uid, gid, mtimeMs } = statSync(join(root, path));
        const owner = privileged ? [0, 0] : [process.geteuid?.(), process.getegid?.()];
        assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o755, ...owner, 0]);
      }
    }));
});

describe("a hard link", () => {
  test("is another name of the same file, also of one in a lower layer", () =>
    withLayers(
      [
        tar(directory("a"), file("a/x", "1"), symlink("l", "a")),
        tar(hardLink("y", "a/x"), hardLink("z", "/l/x")),
      ],
      async (root) => {
        const inode = statSync(join(root, "a/x")).ino;
        assert.deepEqual([statSync(join(root, "y")).ino, statSync(join(root, "z")).ino], [inode, inode]);
        assert.equal(statSync(join(root, "y")).nlink, 3);
      },
    ));

  test("to a link is another name of that link", () =>
    withLayers([tar(symlink("l", "nowhere"), hardLink("h", "l"))], async (root) => {
      assert.deepEqual(await contentOf(root), { l: "-> nowhere", h: "-> nowhere" });
      assert.equal(lstatSync(join(root, "h")).ino, lstatSync(join(root, "l")).ino);
    }));
});

describe("a link", () => {
  for (const target of ["..", "/", "//a//b/../c/", "a\nb", "./x", "ő", "x".repeat(4000)]) {
    test(`keeps its target verbatim: ${JSON.stringify(target.slice(0, 20))}`, () =>
      withLayers([tar(gnuLong("K", target), symlink("l", target))], async (root) => {
        assert.deepEqual(await contentOf(root), { l: `-> ${target}` });
      }));
  }

  test("may be where entries of later layers go through", () =>
    withLayers(
      [tar(file("usr/lib/a"), symlink("lib", "usr/lib")), tar(file("lib/b", "2"), whiteout("lib/.wh.a"))],
      async (root) => {
        const content = { lib: "-> usr/lib", usr: "/", "usr/lib": "/", "usr/lib/b": "2" };
        assert.deepEqual(await contentOf(root), content);
      },
    ));
});

test("owner, permissions and time are those of the entry, of whatever kind", () =>
  withLayers(
    [
      tar(
        pax({ mtime: "1700000000.25" }),
        file("f", "x", { mode: 0o4755, uid: 1, gid: 2 }),
        symlink("l", "f", { uid: 3, gid: 4, mtime: 5 }),
        pax({ mtime: "1600000000.75" }),
        directory("d", { mode: 0o2750, uid: 5, gid: 6 }),
        file("d/later", "x", { mode: 0 }),
        file("large", Buffer.alloc(600_000), { mode: 0o2111, uid: 7, mtime: 8 }),
      ),
    ],
    async (root) => {
      const said = (path: string): unknown[] => {
        const { mode, uid, gid, mtimeMs } = lstatSync(join(root, path));
        return [mode & 0o7777, ...(privileged ? [uid, gid] : []), mtimeMs];
      };
      const owner = (...ids: number[]): number[] => (privileged ? ids : []);
      // Without root's rights, files stay readable to their owner.
      const readable = privileged ? 0 : 0o400;
      assert.deepEqual(said("f"), [0o4755, ...owner(1, 2), 1_700_000_000_250]);
      assert.deepEqual(said("l").slice(1), [...owner(3, 4), 5000]);
      assert.deepEqual(said("d"), [0o2750, ...owner(5, 6), 1_600_000_000_750]);
      assert.deepEqual(said("d/later"), [readable, ...owner(0, 0), 0]);
      assert.deepEqual(said("large"), [0o2111 | readable, ...owner(7, 0), 8000]);
    },
  ));

test("extended attributes are left out and counted, whatever they are called and hold", () =>
  withDirectory(async (place) => {
    const target = await createUnpackTarget(join(place, "root"), AMPLE);
    const xattrs = {
      "SCHILY.xattr.user.a": "1",
      "SCHILY.xattr.user.a\0b": "\n",
      "LIBARCHIVE.xattr.user.c": "MQ",
    };
    await unpackLayer(
      chunksOf(tar(pax({ ...xattrs, comment: "SCHILY.xattr.x" }), file("f", "x"))),
      TAR,
      target,
    );
    assert.equal(target.skipped_xattrs, 3);
    assert.deepEqual(await contentOf(join(place, "root")), { f: "x" });
  }));

test("device nodes and named pipes are left out and counted", () =>
  withDirectory(async (place) => {
    const target = await createUnpackTarget(join(place, "root"), AMPLE);
    const nodes = ["3", "4", "6"].map((type) => header(`dev/${type}`, { type }));
    await unpackLayer(chunksOf(tar(...nodes, file("dev/f"))), TAR, target);
    assert.equal(target.skipped_entries, 3);
    assert.deepEqual(await contentOf(join(place, "root")), { dev: "/", "dev/f": "" });
  }));
