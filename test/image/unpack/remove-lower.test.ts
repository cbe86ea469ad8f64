import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { directory, file, hardLink, symlink, tar, whiteout } from "../../support/tar-builder.ts";
import { contentOf, withLayers } from "../../support/unpack-fixture.ts";

/** Checks what layers leave, with the entries of each in their order and the other way round. */
function leaves(what: string, layers: readonly Buffer[][], expected: Record<string, string>): void {
  for (const [order, entriesOf] of [
    ["", (entries: Buffer[]) => entries],
    [", in reverse", (entries: Buffer[]) => entries.toReversed()],
  ] as const) {
    test(`${what}${order}`, () =>
      withLayers(
        layers.map((entries) => tar(...entriesOf(entries))),
        async (root) => assert.deepEqual(await contentOf(root), expected),
      ));
  }
}

describe("a whiteout hides what lower layers have:", () => {
  leaves("a file", [[file("a", "1"), file("b")], [whiteout(".wh.a")]], { b: "" });
  leaves("a directory with all in it", [[file("d/e/a"), file("d/b"), file("b")], [whiteout(".wh.d")]], {
    b: "",
  });
  leaves("a link, not what it points to", [[symlink("l", "a"), file("a", "1")], [whiteout(".wh.l")]], {
    a: "1",
  });
  leaves("one of two names", [[file("a", "1")], [hardLink("b", "a")], [whiteout(".wh.a")]], { b: "1" });
  leaves("nothing", [[file("a")], [whiteout(".wh.b"), whiteout("none/.wh.a"), whiteout("a/.wh.b")]], {
    a: "",
  });
  leaves("through a link", [[file("d/a"), symlink("l", "d")], [whiteout("l/.wh.a")]], { d: "/", l: "-> d" });
});

describe("a whiteout spares what its own layer has:", () => {
  leaves("a file", [[file("a", "1")], [file("a", "2"), whiteout(".wh.a")]], { a: "2" });
  leaves("a link", [[symlink("a", "1")], [symlink("a", "2"), whiteout(".wh.a")]], { a: "-> 2" });
  leaves(
    "a hard link",
    [
      [file("a", "1"), file("b", "2")],
      [hardLink("a", "b"), whiteout(".wh.a")],
    ],
    { a: "2", b: "2" },
  );
  leaves("a directory", [[file("d/old")], [directory("d"), file("d/new"), whiteout(".wh.d")]], {
    d: "/",
    "d/new": "",
  });
  leaves(
    "a file deep in a directory",
    [
      [file("d/e/old"), file("d/old")],
      [file("d/e/f/new"), whiteout(".wh.d")],
    ],
    {
      d: "/",
      "d/e": "/",
      "d/e/f": "/",
      "d/e/f/new": "",
    },
  );
});

describe("an opaque directory hides what lower layers have in it:", () => {
  leaves(
    "all of it",
    [
      [file("d/a"), file("d/e/b"), symlink("d/l", "/"), file("c")],
      [directory("d"), whiteout("d/.wh..wh..opq")],
    ],
    { d: "/", c: "" },
  );
  leaves(
    "but not what its own layer has",
    [
      [file("d/a", "1"), file("d/e/b")],
      [file("d/a", "2"), file("d/e/c"), whiteout("d/.wh..wh..opq")],
    ],
    {
      d: "/",
      "d/a": "2",
      "d/e": "/",
      "d/e/c": "",
    },
  );
  leaves(
    "the root as well",
    [
      [file("a"), file("d/b")],
      [file("c"), whiteout(".wh..wh..opq")],
    ],
    { c: "" },
  );
  leaves("or nothing", [[file("a")], [whiteout("none/.wh..wh..opq")]], { a: "" });
  leaves(
    "not the bookkeeping of aufs",
    [[file("a"), file(".wh..wh.plnk/1.2"), whiteout(".wh..wh.aufs")], [whiteout(".wh..wh.orph")]],
    { a: "" },
  );
});

describe("five layers", () => {
  const layers = [
    [
      directory("etc"),
      file("etc/a", "1"),
      file("etc/b", "1"),
      file("var/x", "1"),
      file("opt/p/q", "1"),
      symlink("l", "etc"),
    ],
    [file("etc/a", "2"), whiteout("etc/.wh.b"), file("var/y", "2"), whiteout("opt/.wh.p")],
    [whiteout("var/.wh..wh..opq"), file("var/z", "3"), file("etc/b", "3"), file("opt/p/r", "3")],
    [whiteout(".wh.etc"), file("etc/c", "4"), whiteout("var/.wh.z"), file("l/d", "4")],
    [file("var/y", "5"), whiteout(".wh.l"), whiteout("opt/.wh..wh..opq"), file("opt/s", "5")],
  ];
  leaves("leave what was last said of each name", layers, {
    etc: "/",
    "etc/c": "4",
    "etc/d": "4",
    var: "/",
    "var/y": "5",
    opt: "/",
    "opt/s": "5",
  });
});

test("the time of a directory is its own after a whiteout in it", () =>
  withLayers(
    [tar(directory("d", { mtime: 5 }), file("d/a"), file("d/b")), tar(whiteout("d/.wh.a"))],
    async (root) => {
      assert.equal(statSync(join(root, "d")).mtimeMs, 5000);
    },
  ));
