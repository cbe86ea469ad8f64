import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { unpackLayer } from "../../src/image/unpack/unpack-layer.ts";
import { createUnpackTarget } from "../../src/image/unpack/unpack-target.ts";
import { directory, file, hardLink, pax, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { AMPLE, chunksOf, contentOf, createCanary, TAR, withDirectory } from "../support/unpack-fixture.ts";

interface Attack {
  readonly name: string;
  /** @param outside absolute path of a directory beside the root, with `secret` and `sub/file` in it */
  readonly layers: (outside: string) => Uint8Array[];
  /** The complaint, where the layer is refused. */
  readonly refused?: RegExp;
  /** What the root holds afterwards, among other things, by paths without links on their way. */
  readonly holds?: (outside: string) => Record<string, string>;
}

const within = (outside: string): string => outside.slice(1);

const ATTACKS: readonly Attack[] = [
  {
    name: "a file written through an absolute link",
    layers: (outside) => [tar(symlink("out", outside), file("out/secret", "evil"))],
    holds: (outside) => ({ out: `-> ${outside}`, [`${within(outside)}/secret`]: "evil" }),
  },
  {
    name: "a file written through a relative link",
    layers: () => [tar(directory("d"), symlink("d/out", "../../canary"), file("d/out/secret", "evil"))],
    holds: () => ({ "canary/secret": "evil" }),
  },
  {
    name: "a file written through a link of a lower layer",
    layers: (outside) => [tar(symlink("out", outside)), tar(file("out/sub/file", "evil"))],
    holds: (outside) => ({ [`${within(outside)}/sub/file`]: "evil" }),
  },
  {
    name: "a file written through two links",
    layers: () => [
      tar(directory("a"), symlink("a/up", ".."), symlink("b", "a/up/../../canary"), file("b/secret", "evil")),
    ],
    holds: () => ({ "canary/secret": "evil" }),
  },
  {
    name: "a file written through a link with a slash at its end",
    layers: (outside) => [tar(symlink("out/", `${outside}/`), file("out/secret", "evil"))],
    holds: (outside) => ({ [`${within(outside)}/secret`]: "evil" }),
  },
  {
    name: "a file written through an absolute link that is not in the root itself",
    layers: (outside) => [tar(symlink("d/e/out", outside), file("d/e/out/secret", "evil"))],
    holds: (outside) => ({ [`${within(outside)}/secret`]: "evil" }),
  },
  {
    name: "a file in place of a link to a file outside",
    layers: (outside) => [tar(symlink("l", `${outside}/secret`), file("l", "evil"))],
    holds: () => ({ l: "evil" }),
  },
  {
    name: "a directory in place of a link to a directory outside",
    layers: (outside) => [
      tar(symlink("l", outside), directory("l", { mode: 0o777 }), file("l/secret", "evil")),
    ],
    holds: () => ({ l: "/", "l/secret": "evil" }),
  },
  {
    name: "a directory replaced by a link and then written through",
    layers: (outside) => [tar(directory("d"), file("d/a"), symlink("d", outside), file("d/secret", "evil"))],
    holds: (outside) => ({ d: `-> ${outside}`, [`${within(outside)}/secret`]: "evil" }),
  },
  {
    name: "a directory above replaced by a link and then written through",
    layers: (outside) => [
      tar(directory("a/sub"), file("a/sub/x"), symlink("a", outside), file("a/sub/file", "evil")),
    ],
    holds: (outside) => ({ [`${within(outside)}/sub/file`]: "evil" }),
  },
  {
    name: "a directory of a lower layer replaced by a link and then written through",
    layers: (outside) => [
      tar(file("d/sub/x")),
      tar(file("d/sub/y"), symlink("d", outside), file("d/sub/file", "evil"), whiteout("d/sub/.wh.file")),
    ],
    holds: (outside) => ({ [`${within(outside)}/sub/file`]: "evil" }),
  },
  {
    name: "a directory replaced by a link before its mode and owner are set",
    layers: (outside) => [
      tar(directory("a"), directory("a/sub", { mode: 0o777, uid: 12, mtime: 1 }), symlink("a", outside)),
    ],
    holds: (outside) => ({ a: `-> ${outside}` }),
  },
  {
    name: "a directory itself replaced by a link before its mode and owner are set",
    layers: (outside) => [tar(directory("d", { mode: 0o777, uid: 12, mtime: 1 }), symlink("d", outside))],
    holds: (outside) => ({ d: `-> ${outside}` }),
  },
  {
    name: "a directory with links to outside replaced by a file",
    layers: (outside) => [tar(symlink("d/out", outside), symlink("d/up", "../.."), file("d", "file"))],
    holds: () => ({ d: "file" }),
  },
  {
    name: "names that go up",
    layers: () => [
      tar(file("../canary/secret", "1"), file("a/../../../canary/sub/file", "2"), file("/../x", "3")),
    ],
    holds: () => ({ "canary/secret": "1", "canary/sub/file": "2", x: "3" }),
  },
  {
    name: "a pax name that goes up",
    layers: () => [tar(pax({ path: "../canary/secret" }), file("harmless", "1"))],
    holds: () => ({ "canary/secret": "1" }),
  },
  {
    name: "absolute names",
    layers: (outside) => [tar(file(`${outside}/secret`, "1"), file("//etc//passwd", "2"))],
    holds: (outside) => ({ [`${within(outside)}/secret`]: "1", "etc/passwd": "2" }),
  },
  {
    name: "a directory named ..",
    layers: () => [tar(directory("..", { mode: 0o777 }))],
    refused: /"\.\.": a path that ends in "\.\."/,
  },
  {
    name: "a link named like the directory above another",
    layers: (outside) => [tar(directory("a"), symlink("a/..", outside))],
    refused: /a path that ends in/,
  },
  {
    name: "a hard link to an absolute path outside",
    layers: (outside) => [tar(hardLink("stolen", `${outside}/secret`))],
    refused: /"stolen": a hard link to nothing/,
  },
  {
    name: "a hard link to a path that goes up",
    layers: () => [tar(hardLink("stolen", "../canary/secret"))],
    refused: /a hard link to nothing/,
  },
  {
    name: "a hard link through a link to outside",
    layers: (outside) => [tar(symlink("out", outside), hardLink("stolen", "out/secret"))],
    refused: /a hard link to nothing/,
  },
  {
    name: "a hard link to a link to outside, written to",
    layers: (outside) => [tar(symlink("l", `${outside}/secret`), hardLink("h", "l"), file("h", "evil"))],
    holds: (outside) => ({ l: `-> ${outside}/secret`, h: "evil" }),
  },
  {
    name: "a hard link to the directory above the root",
    layers: () => [tar(hardLink("up", ".."))],
    refused: /a path that ends in/,
  },
  {
    name: "a hard link to a directory",
    layers: () => [tar(directory("d"), hardLink("h", "d"))],
    refused: /a hard link to a directory/,
  },
  {
    name: "a hard link to the root",
    layers: () => [tar(hardLink("h", "/"))],
    refused: /a hard link to a directory/,
  },
  {
    name: "a hard link to itself, which is nothing",
    layers: () => [tar(hardLink("h", "h"))],
    refused: /a hard link to nothing/,
  },
  {
    name: "a hard link to itself, which is a file",
    layers: () => [tar(file("h", "kept"), hardLink("h", "./h"))],
    holds: () => ({ h: "kept" }),
  },
  {
    name: "a hard link in place of the directory that holds its target",
    layers: () => [tar(file("d/x", "1"), hardLink("d", "d/x"))],
    refused: /a hard link to nothing/,
  },
  {
    name: "a whiteout of the directory above",
    layers: () => [tar(file("d/x")), tar(whiteout("d/.wh..."))],
    refused: /a whiteout of no file/,
  },
  {
    name: "a whiteout of the root's own parent",
    layers: () => [tar(whiteout(".wh..."))],
    refused: /no file/,
  },
  {
    name: "a whiteout of the directory itself",
    layers: () => [tar(whiteout("d/.wh.."))],
    refused: /no file/,
  },
  { name: "a whiteout without a name", layers: () => [tar(whiteout("d/.wh."))], refused: /no file/ },
  {
    name: "a whiteout with content below it",
    layers: () => [tar(file(".wh.d/x"))],
    refused: /within a whiteout/,
  },
  {
    name: "a whiteout through a link to outside",
    layers: (outside) => [
      tar(symlink("out", outside)),
      tar(whiteout("out/.wh.secret"), whiteout("out/.wh.sub")),
    ],
    holds: (outside) => ({ out: `-> ${outside}` }),
  },
  {
    name: "a whiteout by a name that goes up",
    layers: () => [tar(whiteout("../canary/.wh.secret"), whiteout("../.wh.canary"))],
    holds: () => ({}),
  },
  {
    name: "a whiteout of a link to outside",
    layers: (outside) => [
      tar(symlink("out", outside), symlink("d/out", outside)),
      tar(whiteout(".wh.out"), whiteout(".wh.d")),
    ],
    holds: () => ({}),
  },
  {
    name: "an opaque directory that is a link to outside",
    layers: (outside) => [tar(symlink("out", outside)), tar(whiteout("out/.wh..wh..opq"))],
    holds: (outside) => ({ out: `-> ${outside}` }),
  },
  {
    name: "an opaque directory with links to outside in it",
    layers: (outside) => [
      tar(symlink("d/out", outside), symlink("d/e/out", outside)),
      tar(file("d/e/new"), whiteout("d/.wh..wh..opq")),
    ],
    holds: () => ({ d: "/", "d/e/new": "" }),
  },
  {
    name: "a link as the root",
    layers: (outside) => [tar(symlink("./", outside), file("secret", "evil"))],
    refused: /the root is a directory/,
  },
  {
    name: "a link as the root, by an absolute name",
    layers: () => [tar(symlink("/", ".."))],
    refused: /the root is/,
  },
  { name: "a file as the root", layers: () => [tar(file(".", "x"))], refused: /the root is a directory/ },
  {
    name: "a hard link as the root",
    layers: () => [tar(file("f"), hardLink("./.", "f"))],
    refused: /the root is/,
  },
  { name: "a device as the root", layers: () => [tar(file(".", "", { type: "3" }))], refused: /the root is/ },
  {
    name: "device nodes and named pipes",
    layers: () => [
      tar(...["3", "4", "6"].map((type) => file(`dev/${type}`, "", { type })), file("dev/null", "x")),
    ],
    holds: () => ({ dev: "/", "dev/null": "x" }),
  },
  {
    name: "a loop of links",
    layers: () => [tar(symlink("a", "b"), symlink("b", "a"), file("a/x"))],
    refused: /"a\/x": too many directories or links on its way/,
  },
  { name: "a link to itself", layers: () => [tar(symlink("a", "a"), file("a/x"))], refused: /too many/ },
  {
    name: "a link whose target is longer with each step",
    layers: () => [tar(symlink("a", "a/a/a/a/a/a/a/a"), file("a/x"))],
    refused: /too many/,
  },
  {
    name: "a loop of links for a whiteout",
    layers: () => [tar(symlink("a", "a"), whiteout("a/.wh.x"))],
    refused: /too many/,
  },
  {
    name: "a loop of links for a hard link",
    layers: () => [tar(symlink("a", "a"), hardLink("h", "a/x"))],
    refused: /too many/,
  },
  {
    name: "an entry below a file",
    layers: () => [tar(file("f"), file("f/x"))],
    refused: /its parent is no directory/,
  },
  {
    name: "a NUL in a pax name",
    layers: () => [tar(pax({ path: "a\0b" }), file("x"))],
    refused: /its name has a NUL/,
  },
  {
    name: "a NUL in a pax link target",
    layers: () => [tar(pax({ linkpath: "a\0b" }), symlink("x", "y"))],
    refused: /its link target has a NUL/,
  },
  {
    name: "names and targets that would break a line of a log",
    layers: () => [
      tar(file("a\nb", "1"), symlink("c", "x\ny"), pax({ path: "d\n12 path=e\n\n" }), file("d", "2")),
    ],
    holds: () => ({ "a\nb": "1", c: "-> x\ny", "d\n12 path=e\n\n": "2" }),
  },
  {
    name: "a path of more directories than any image has",
    layers: () => [tar(pax({ path: "x/".repeat(300) }), directory("x"))],
    refused: /too many directories or links on its way/,
  },
  {
    name: "a name longer than any file may have",
    layers: () => [tar(pax({ path: "x".repeat(256) }), file("x"))],
    refused: /ENAMETOOLONG/,
  },
  {
    name: "a path longer than any system call takes",
    layers: () => [tar(pax({ path: `${"x".repeat(250)}/`.repeat(20) }), directory("x"))],
    refused: /ENAMETOOLONG/,
  },
];

describe("a hostile layer", () => {
  for (const attack of ATTACKS) {
    test(`changes nothing outside its root: ${attack.name}`, () =>
      withDirectory(async (place) => {
        const canary = await createCanary(place);
        const before = await canary.state();
        const root = join(place, "root");
        const target = await createUnpackTarget(root, AMPLE);
        const unpack = async (): Promise<void> => {
          for (const layer of attack.layers(canary.path)) await unpackLayer(chunksOf(layer), TAR, target);
        };
        if (attack.refused) {
          await assert.rejects(unpack, { code: "image_invalid", message: attack.refused });
        } else {
          await unpack();
          assert.partialDeepStrictEqual(await contentOf(root), attack.holds?.(canary.path) ?? {});
        }
        assert.equal(await canary.state(), before);
        assert.deepEqual((await readdir(place)).sort(), ["canary", "root"]);
      }));
  }
});
