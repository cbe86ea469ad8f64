import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LayerEntry } from "../../../src/image/unpack/layer-entry.ts";
import { type TarToken, TarTokenizer } from "../../../src/image/unpack/tar-tokenizer.ts";
import {
  base256,
  directory,
  END,
  file,
  gnuLong,
  hardLink,
  header,
  pax,
  symlink,
  type TarFields,
  tar,
} from "../../support/tar-builder.ts";

const GNU: TarFields = { magic: "ustar  \0" };
const LONG = `${"directory/".repeat(15)}file`;

/** Tokens of an archive that is fed in pieces of so many blocks. */
function tokensOf(archive: Buffer, blocks = 1000): TarToken[] {
  const tokenizer = new TarTokenizer();
  const tokens: TarToken[] = [];
  for (let at = 0; at < archive.length; at += blocks * 512) {
    tokens.push(...tokenizer.feed(archive.subarray(at, at + blocks * 512)));
  }
  tokenizer.end();
  return tokens;
}

function entriesOf(archive: Buffer, blocks?: number): LayerEntry[] {
  return tokensOf(archive, blocks).flatMap((token) => (token.type === "entry" ? [token.entry] : []));
}

function onlyEntry(...pieces: Buffer[]): LayerEntry {
  const [entry, ...others] = entriesOf(tar(...pieces));
  assert.ok(entry);
  assert.deepEqual(others, []);
  return entry;
}

describe("an archive", () => {
  for (const blocks of [1, 2, 3, 1000]) {
    test(`is the same fed in pieces of ${blocks} blocks`, () => {
      const content = "x".repeat(2000);
      const archive = tar(
        directory("d"),
        pax({ path: LONG }),
        file("short", content),
        file("empty"),
        symlink("l", "t"),
      );
      const said = tokensOf(archive, blocks).map((token) =>
        token.type === "entry" ? token.entry.kind : token.type,
      );
      assert.deepEqual(
        said.filter((what, index) => what !== "data" || said[index - 1] !== "data"),
        ["directory", "file", "data", "end", "file", "end", "symlink"],
      );
      const data = tokensOf(archive, blocks).flatMap((token) => (token.type === "data" ? [token.bytes] : []));
      assert.equal(Buffer.concat(data).toString(), content);
    });
  }

  test("may be empty, or without its end", () => {
    assert.deepEqual(tokensOf(Buffer.alloc(0)), []);
    assert.deepEqual(tokensOf(END), []);
    assert.equal(entriesOf(Buffer.concat([file("a"), file("b", "x")])).length, 2);
    assert.equal(entriesOf(Buffer.concat([file("a"), Buffer.alloc(512)])).length, 1);
  });

  test("ends at its end, whatever follows", () => {
    assert.equal(entriesOf(Buffer.concat([tar(file("a")), file("b"), Buffer.alloc(100, "x")]), 1).length, 1);
  });
});

describe("a name", () => {
  const cases: Record<string, [string, ...Buffer[]]> = {
    "of exactly 100 bytes": ["n".repeat(100), file("n".repeat(100))],
    "with a ustar prefix": [`${"p".repeat(155)}/n`, file("n", "", { prefix: "p".repeat(155) })],
    "with a short ustar prefix": ["p/n", file("n", "", { prefix: "p" })],
    "of GNU tar, which has no prefix": ["n", file("n", "", { ...GNU, prefix: "12345670123" })],
    "of GNU tar's long names": [LONG, gnuLong("L", LONG), file("short", "", GNU)],
    "of a pax header": [LONG, pax({ path: LONG }), file("short")],
    "of a pax header with letters that are not ASCII": ["ő/😀", pax({ path: "ő/😀" }), file("short")],
    "in UTF-8 without a pax header": ["Főtanúsítvány.crt", file("Főtanúsítvány.crt")],
    "with a line break": ["a\nb", file("a\nb")],
    "with a line break in a pax header": ["ő\nb", pax({ path: "ő\nb" }), file("short")],
    "with all that a shell minds": ["-rf $(x) `y` \\ ' \"", file("-rf $(x) `y` \\ ' \"")],
  };
  for (const [what, [name, ...pieces]] of Object.entries(cases)) {
    test(`is read ${what}`, () => {
      assert.equal(onlyEntry(...pieces).name, name);
    });
  }

  test("is split without empty components and dots", () => {
    assert.deepEqual(onlyEntry(file("//./a/.//../b/./")).names, ["a", "..", "b"]);
    assert.deepEqual(onlyEntry(directory("./")).names, []);
  });

  for (const [what, ...pieces] of [
    ["a name", file(Buffer.from([0x61, 0xff]))],
    ["a name of a pax header", pax({ path: Buffer.from([0x61, 0xff]) }), file("x")],
    ["a long name of GNU tar", file("././@LongLink", Buffer.from([0x61, 0xff, 0]), { type: "L" }), file("x")],
    ["a link target", symlink("x", Buffer.from([0x61, 0xff]))],
    ["a link target of a pax header", pax({ linkpath: Buffer.from([0xff]) }), symlink("x", "y")],
  ] as [string, ...Buffer[]][]) {
    test(`is refused when it is not UTF-8, as its bytes would be lost: ${what}`, () => {
      assert.throws(() => onlyEntry(...pieces), { code: "image_invalid", message: /is not UTF-8/ });
    });
  }
});

describe("an entry", () => {
  test("has the kind, size and target that its header says", () => {
    assert.partialDeepStrictEqual(onlyEntry(file("f", "12345")), { kind: "file", size_bytes: 5 });
    assert.partialDeepStrictEqual(onlyEntry(file("f", "", { type: "\0" })), { kind: "file", size_bytes: 0 });
    assert.partialDeepStrictEqual(onlyEntry(file("f", "1", { type: "7" })), { kind: "file", size_bytes: 1 });
    assert.partialDeepStrictEqual(onlyEntry(file("d/")), { kind: "directory" });
    assert.partialDeepStrictEqual(onlyEntry(symlink("l", "../a//b/")), {
      kind: "symlink",
      target: "../a//b/",
    });
    assert.partialDeepStrictEqual(onlyEntry(hardLink("h", "/a/./b")), {
      kind: "hardlink",
      targetNames: ["a", "b"],
    });
    for (const type of ["3", "4", "6"]) assert.equal(onlyEntry(header("n", { type })).kind, "special");
  });

  test("has a link target of any length", () => {
    const target = { kind: "symlink", target: LONG };
    assert.partialDeepStrictEqual(onlyEntry(pax({ linkpath: LONG }), symlink("l", "x")), target);
    assert.partialDeepStrictEqual(onlyEntry(gnuLong("K", LONG), symlink("l", "x", GNU)), target);
    const both = onlyEntry(gnuLong("K", LONG), gnuLong("L", `${LONG}2`), symlink("l", "x", GNU));
    assert.partialDeepStrictEqual(both, { ...target, name: `${LONG}2` });
  });

  test("has a size from a pax header or in base 256", () => {
    assert.partialDeepStrictEqual(onlyEntry(pax({ size: "5" }), file("f", "12345", { size: 0 })), {
      size_bytes: 5,
    });
    assert.partialDeepStrictEqual(onlyEntry(file("f", "12345", { size: base256(5n, 12) })), {
      size_bytes: 5,
    });
  });

  test("has owner, permissions and time", () => {
    const { metadata } = onlyEntry(
      file("f", "", { mode: 0o106755, uid: 1000, gid: 65534, mtime: 1_700_000_000 }),
    );
    assert.deepEqual(metadata, { mode: 0o6755, uid: 1000, gid: 65534, mtime_secs: 1_700_000_000 });
  });

  test("has owners of more than seven octal digits", () => {
    const inPax = onlyEntry(pax({ uid: "4000000000", gid: "3000000" }), file("f")).metadata;
    assert.deepEqual([inPax.uid, inPax.gid], [4_000_000_000, 3_000_000]);
    assert.equal(onlyEntry(file("f", "", { uid: base256(4_000_000_000n, 8) })).metadata.uid, 4_000_000_000);
  });

  test("has the fraction of its time from a pax header", () => {
    const { mtime_secs } = onlyEntry(pax({ mtime: "1700000000.1234567" }), file("f")).metadata;
    assert.equal(mtime_secs, 1_700_000_000.1234567);
  });

  test("has a time that a file system can keep", () => {
    const timeOf = (mtime: string): number => onlyEntry(pax({ mtime }), file("f")).metadata.mtime_secs;
    assert.equal(timeOf("-1.5"), 0);
    assert.equal(timeOf("99999999999"), 0xffff_ffff);
    assert.equal(onlyEntry(file("f", "", { mtime: base256(-5n, 12) })).metadata.mtime_secs, 0);
  });

  test("takes no pax record of the entry before it", () => {
    const entries = entriesOf(tar(pax({ mtime: "5", path: "a" }), file("x"), file("b")));
    assert.deepEqual(
      entries.map(({ name, metadata }) => [name, metadata.mtime_secs]),
      [
        ["a", 5],
        ["b", 0],
      ],
    );
  });

  test("may follow a global header with a comment, as git archive writes it", () => {
    assert.equal(onlyEntry(pax({ comment: "0123456789" }, "g"), file("f")).name, "f");
  });

  test("may be one of many with extended headers", () => {
    const pieces = Array.from({ length: 200 }, () => [pax({ comment: "x".repeat(1000) }), file("f")]).flat();
    assert.equal(entriesOf(tar(...pieces)).length, 200);
  });

  test("may carry extended attributes in binary, which are counted and passed over", () => {
    const capability = Buffer.from("0100000280000000000000000000000000000000", "hex");
    const entry = onlyEntry(pax({ "SCHILY.xattr.security.capability": capability, mtime: "7.5" }), file("f"));
    assert.equal(entry.metadata.mtime_secs, 7.5);
    assert.equal(entry.xattrs, 1);
  });
});

describe("an archive is refused", () => {
  const cases: [string, RegExp, Buffer][] = [
    ["with a wrong checksum", /checksum failure/, tar(file("f", "", { checksumError: 1 }))],
    ["that is none", /checksum failure|Unrecognized/, Buffer.alloc(1024, "x")],
    [
      "that is compressed twice",
      /compressed twice/,
      Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(510)]),
    ],
    ["cut within a header", /truncated/, tar(file("f")).subarray(0, 300)],
    ["cut within a file", /Truncated/, file("f", "x".repeat(600)).subarray(0, 1024)],
    ["cut before a file", /Truncated/, file("f", "x").subarray(0, 512)],
    ["cut within an extended header", /Truncated/, pax({ path: "x".repeat(600) }).subarray(0, 1024)],
    ["cut after an extended header", /truncated/, pax({ path: "x" })],
    ["that goes on after a block of zeros", /goes on after its end/, tar(Buffer.alloc(512), file("f"))],
    ["with a sparse file of old GNU tar", /"f": sparse files/, tar(file("f", "x", { ...GNU, type: "S" }))],
    ["with a sparse file in pax", /"f": sparse files/, tar(pax({ "GNU.sparse.major": "1" }), file("f", "x"))],
    ["with a type that nobody knows", /"f": entries of its type/, tar(header("f", { type: "Z" }))],
    ["with a directory dump", /type GNUDumpDir are not supported/, tar(header("f", { type: "D" }))],
    [
      "with a link that has content",
      /content in an entry of type/,
      tar(file("l", "x", { type: "2", link: "t" })),
    ],
    ["with a link to nowhere", /linkpath required/, tar(symlink("l", ""))],
    ["with an empty name", /path is required/, tar(file(""))],
    ["with a negative owner", /its owner -5 is not between/, tar(file("f", "", { uid: base256(-5n, 8) }))],
    [
      "with an owner that stands for none",
      /its owner 4294967295/,
      tar(pax({ uid: "4294967295" }), file("f")),
    ],
    ["with an owner that is no number", /its owner NaN/, tar(pax({ gid: "root" }), file("f"))],
    ["with a time that is no number", /its time is not a number/, tar(pax({ mtime: "noon" }), file("f"))],
    ["with a size that is no number", /its size is not/, tar(file("f", "", { size: Buffer.from("zz") }))],
    ["with a name for all its files", /global header with a path/, tar(pax({ path: "x" }, "g"), file("f"))],
  ];
  for (const [what, message, archive] of cases) {
    test(what, () => {
      assert.throws(() => tokensOf(archive), { code: "image_invalid", message });
    });
  }
});
