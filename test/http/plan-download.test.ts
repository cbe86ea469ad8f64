import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseRange, planDownload } from "../../src/http/plan-download.ts";

const MODIFIED = "Mon, 02 Mar 2026 10:20:30 GMT";
const file = {
  path: "a/file.bin",
  size_bytes: 10,
  modified: new Date("2026-03-02T10:20:30.900Z"),
  version: "v-1",
};

function plan(headers: Record<string, string> = {}, method = "GET") {
  return planDownload(file, { method, headers: new Headers(headers) });
}

describe("a Range field against ten bytes", () => {
  const cases: [string, ReturnType<typeof parseRange>][] = [
    ["bytes=0-3", { start: 0, length: 4 }],
    ["bytes=0-0", { start: 0, length: 1 }],
    ["bytes=4-", { start: 4, length: 6 }],
    ["bytes=9-", { start: 9, length: 1 }],
    ["bytes=4-999", { start: 4, length: 6 }],
    ["bytes=0-9", { start: 0, length: 10 }],
    ["bytes=-3", { start: 7, length: 3 }],
    ["bytes=-10", { start: 0, length: 10 }],
    ["bytes=-999", { start: 0, length: 10 }],
    ["Bytes= 0-3 ", { start: 0, length: 4 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-20", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    [`bytes=${"9".repeat(400)}-`, "unsatisfiable"],
    [`bytes=0-${"9".repeat(400)}`, { start: 0, length: 10 }],
    [`bytes=-${"9".repeat(400)}`, { start: 0, length: 10 }],
    ["bytes=5-3", null],
    ["bytes=-", null],
    ["bytes=", null],
    ["bytes", null],
    ["bytes=a-b", null],
    ["bytes=1.5-3", null],
    ["bytes=--3", null],
    ["bytes=0-1,3-4", null],
    ["items=0-3", null],
    ["", null],
  ];
  for (const [field, expected] of cases) {
    test(`${field.slice(0, 30) || "(empty)"} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseRange(field, 10), expected);
    });
  }

  test("nothing of an empty file can be asked for", () => {
    for (const field of ["bytes=0-", "bytes=0-0", "bytes=-5"]) {
      assert.equal(parseRange(field, 0), "unsatisfiable");
    }
  });
});

test("a plain request gets the whole file and all about it", () => {
  assert.deepEqual(plan(), {
    status: 200,
    headers: {
      etag: '"v-1"',
      "last-modified": MODIFIED,
      "cache-control": "no-cache",
      "content-type": "application/octet-stream",
      "content-disposition": 'attachment; filename="file.bin"'.replaceAll('"', ""),
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes",
      "content-length": "10",
    },
    range: { start: 0, length: 10 },
  });
});

test("a range is answered with 206 and where it lies", () => {
  const { status, headers, range } = plan({ range: "bytes=2-5" });
  assert.equal(status, 206);
  assert.equal(headers["content-range"], "bytes 2-5/10");
  assert.equal(headers["content-length"], "4");
  assert.deepEqual(range, { start: 2, length: 4 });
});

test("a range outside the file is answered with 416 and the size", () => {
  assert.deepEqual(plan({ range: "bytes=10-" }), {
    status: 416,
    headers: { "content-range": "bytes */10" },
    range: null,
  });
});

test("several ranges, and what is no range, get the whole file", () => {
  for (const range of ["bytes=0-1,3-4", "nonsense"]) {
    assert.equal(plan({ range }).status, 200);
    assert.deepEqual(plan({ range }).range, { start: 0, length: 10 });
  }
});

test("HEAD gets the headers of the whole file, whatever range it asks for, and no body", () => {
  assert.deepEqual(plan({}, "HEAD"), { ...plan(), range: null });
  assert.deepEqual(plan({ range: "bytes=0-1" }, "HEAD"), { ...plan(), range: null });
});

describe("If-Range", () => {
  for (const known of ['"v-1"', MODIFIED]) {
    test(`${known} honours the range`, () => {
      assert.equal(plan({ range: "bytes=0-1", "if-range": known }).status, 206);
    });
  }
  for (const other of ['"v-0"', 'W/"v-1"', "Mon, 02 Mar 2026 10:20:29 GMT", "", "nonsense"]) {
    test(`${other || "(empty)"} gets the whole file`, () => {
      assert.equal(plan({ range: "bytes=0-1", "if-range": other }).status, 200);
      assert.equal(plan({ range: "bytes=99-", "if-range": other }).status, 200);
    });
  }
});

describe("If-None-Match", () => {
  for (const known of ['"v-1"', 'W/"v-1"', '"other", "v-1"', "*"]) {
    test(`${known} is answered with 304, without a body`, () => {
      for (const method of ["GET", "HEAD"]) {
        assert.deepEqual(plan({ "if-none-match": known, range: "bytes=0-1" }, method), {
          status: 304,
          headers: { etag: '"v-1"', "last-modified": MODIFIED, "cache-control": "no-cache" },
          range: null,
        });
      }
    });
  }
  for (const other of ['"v-0"', "v-1", '"v-1-x"']) {
    test(`${other} gets the file`, () => assert.equal(plan({ "if-none-match": other }).status, 200));
  }
});
