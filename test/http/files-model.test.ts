import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "typebox/value";
import {
  FilesResponse,
  RemovedResponse,
  toFilesResponse,
  toRemovedResponse,
} from "../../src/http/files-model.ts";

const fileOf = (modified_ms: number) => ({ path: "a/b", size_bytes: 4, modified_ms, used_ms: 1_000 });

test("a list has its times in ISO 8601, and null where there is no next page and no quota", () => {
  const usage = { size_bytes: 9, quota_bytes: Number.POSITIVE_INFINITY };
  const response = toFilesResponse({ files: [fileOf(0)], next: undefined }, usage);
  assert.deepEqual(response, {
    files: [
      {
        path: "a/b",
        size_bytes: 4,
        modified_at: "1970-01-01T00:00:00.000Z",
        used_at: "1970-01-01T00:00:01.000Z",
      },
    ],
    next: null,
    size_bytes: 9,
    quota_bytes: null,
  });
  assert.ok(Value.Check(FilesResponse, response));
});

test("the next page and the quota are told where there are such", () => {
  const { next, quota_bytes } = toFilesResponse({ files: [], next: "a" }, { size_bytes: 9, quota_bytes: 10 });
  assert.deepEqual([next, quota_bytes], ["a", 10]);
});

test("whatever time a guest has set, the list can be given", () => {
  for (const [modified_ms, text] of [
    [1e18, "+275760-09-13T00:00:00.000Z"],
    [-1e18, "-271821-04-20T00:00:00.000Z"],
  ] as const) {
    const list = { files: [fileOf(modified_ms)], next: undefined };
    const { files } = toFilesResponse(list, { size_bytes: 0, quota_bytes: 0 });
    assert.equal(files[0]?.modified_at, text);
  }
});

test("a removal tells files and bytes", () => {
  const response = toRemovedResponse({ files: 2, bytes: 9 });
  assert.deepEqual(response, { removed: 2, freed_bytes: 9 });
  assert.ok(Value.Check(RemovedResponse, response));
});
