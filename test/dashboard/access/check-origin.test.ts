import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSameOrigin } from "../../../src/dashboard/access/check-origin.ts";

const HOST = "127.0.0.1:8080";

describe("where a change is asked for from", () => {
  const cases: [string, Record<string, string>, boolean][] = [
    ["a form of ours", { origin: `http://${HOST}`, "sec-fetch-site": "same-origin" }, true],
    ["a form of ours behind a proxy that ends TLS", { origin: `https://${HOST}` }, true],
    ["a form of ours that hides its origin", { origin: "null", "sec-fetch-site": "same-origin" }, true],
    ["no browser", {}, true],
    ["another site", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }, false],
    ["another site in a browser of old", { origin: "http://evil.example" }, false],
    [
      "another port of this machine",
      { origin: "http://127.0.0.1:9090", "sec-fetch-site": "same-site" },
      false,
    ],
    ["a frame without an origin", { origin: "null" }, false],
    ["a bookmark or a typed address", { "sec-fetch-site": "none" }, false],
    ["what is no origin", { origin: "javascript:" }, false],
  ];
  for (const [name, headers, expected] of cases) {
    test(name, () => assert.equal(isSameOrigin(new Headers({ host: HOST, ...headers })), expected));
  }
});
