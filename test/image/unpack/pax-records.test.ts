import assert from "node:assert/strict";
import { test } from "node:test";
import { readPaxRecords } from "../../../src/image/unpack/pax-records.ts";
import { paxRecord } from "../../support/tar-builder.ts";

const recordsOf = (...pieces: (string | Buffer)[]): Record<string, string> =>
  Object.fromEntries(readPaxRecords(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString()));

test("reads records of a pax header in any order", () => {
  const records = recordsOf(paxRecord("mtime", "1700000000.5"), paxRecord("path", "a=b"));
  assert.deepEqual(records, { mtime: "1700000000.5", path: "a=b" });
});

test("takes the last of several records with one keyword", () => {
  assert.deepEqual(recordsOf(paxRecord("path", "a"), paxRecord("path", "b")), { path: "b" });
});

test("keeps line breaks within a value, also those that look like a record", () => {
  const path = "a\n10 size=0\nb";
  assert.deepEqual(recordsOf(paxRecord("path", path), paxRecord("uid", "12")), { path, uid: "12" });
});

test("counts the length of a record in bytes, not in characters", () => {
  const path = "ő\n9 uid=😀";
  assert.deepEqual(recordsOf(paxRecord("path", path), paxRecord("uid", "12")), { path, uid: "12" });
});

test("passes over a binary value of which bytes were replaced in decoding", () => {
  const binary = paxRecord("SCHILY.xattr.x", Buffer.from([0x01, 0xff, 0x0a, 0x80, 0x0a]));
  assert.equal(recordsOf(binary, paxRecord("uid", "12")).uid, "12");
});

test("finds no record in a long name of GNU tar", () => {
  assert.deepEqual(recordsOf("usr/share/doc/a=b\0"), {});
  assert.deepEqual(recordsOf(""), {});
});

test("stops at a record that is none", () => {
  assert.deepEqual(recordsOf("9 uid=12\nnonsense\n9 gid=12\n"), { uid: "12" });
});

test("comes to an end with lengths that lie", () => {
  for (const length of ["0", "1", "5", "8", "99999999999999999999"]) {
    assert.deepEqual(recordsOf(`${length} path=a\n`), { path: "a" });
  }
  assert.deepEqual(recordsOf("99 path=without an end"), { path: "without an end" });
});
