import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { cursorOf, parseExecId, parseRunsQuery } from "../../src/http/runs-query.ts";
import { execId } from "../support/ended-run.ts";

const parse = (query: string) => parseRunsQuery(`http://localhost/runs${query}`);

describe("what is asked for", () => {
  const cases: [string, object][] = [
    ["", { limit: 50 }],
    ["?limit=1", { limit: 1 }],
    ["?limit=500", { limit: 500 }],
    ["?status=oom_killed", { limit: 50, status: "oom_killed" }],
    ["?status=sandbox_error", { limit: 50, status: "sandbox_error" }],
    ["?image=python", { limit: 50, image: "docker.io/library/python:latest" }],
    [
      `?before=1767323045000.${execId(1)}`,
      { limit: 50, before: { submitted_at_ms: 1767323045000, exec_id: execId(1) } },
    ],
  ];
  for (const [query, expected] of cases) {
    test(query || "nothing in particular", () => assert.deepEqual(parse(query), expected));
  }

  test("goes on where a cursor says", () => {
    const position = { submitted_at_ms: 5, exec_id: execId(7) };
    assert.deepEqual(parse(`?before=${cursorOf(position)}`).before, position);
  });
});

describe("what is refused, naming the parameter", () => {
  const cases: [string, string][] = [
    ["?limit=0", "limit"],
    ["?limit=501", "limit"],
    ["?limit=-1", "limit"],
    ["?limit=1.5", "limit"],
    ["?limit=", "limit"],
    ["?limit=1e2", "limit"],
    ["?status=OK", "status"],
    ["?status=", "status"],
    ["?status=ok&status=ok", "status"],
    ["?before=1", "before"],
    [`?before=${execId(1)}`, "before"],
    [`?before=-1.${execId(1)}`, "before"],
    [`?before=1.${execId(1)}'`, "before"],
    ["?offset=1", "offset"],
    ["?__proto__=1", "__proto__"],
    ["?toString=1", "toString"],
  ];
  for (const [query, field] of cases) {
    test(query, () => {
      assert.throws(
        () => parse(query),
        (error) => error instanceof BoxerError && error.code === "invalid_request" && error.field === field,
      );
    });
  }

  test("an image that cannot be one", () => {
    assert.throws(
      () => parse("?image=UPPER"),
      (error) => error instanceof BoxerError && error.code === "invalid_image_reference",
    );
  });
});

test("an id is taken as it is, and anything else refused", () => {
  assert.equal(parseExecId(execId(1)), execId(1));
  for (const text of [
    null,
    "",
    "x",
    execId(1).toUpperCase(),
    `${execId(1)}x`,
    `${execId(1)}\n`,
    "../x",
    "%00",
  ]) {
    assert.throws(
      () => parseExecId(text),
      (error) => error instanceof BoxerError && error.field === "exec_id",
      `${text}`,
    );
  }
});
