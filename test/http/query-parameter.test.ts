import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { queryParameter } from "../../src/http/query-parameter.ts";

const get = (query: string) => queryParameter(`http://localhost/x${query}`, "path");

test("the one parameter is decoded once", () => {
  assert.equal(get("?path=a%2Fb%252F+c"), "a/b%2F c");
  assert.equal(get("?path="), "");
});

describe("a query is refused, naming the parameter", () => {
  const cases: [query: string, field: string, message: RegExp][] = [
    ["", "path", /is required/],
    ["?other=1", "other", /Unknown query parameter "other"/],
    ["?path=a&other=1", "other", /Unknown/],
    ["?path=a&path=b", "path", /more than once/],
  ];
  for (const [query, field, message] of cases) {
    test(query || "none", () => {
      assert.throws(() => get(query), { code: "invalid_request", field, message });
    });
  }
});
