import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../../src/image/registry/answer.ts";
import { describeRefusal, parseRetryAfter } from "../../../src/image/registry/describe-refusal.ts";
import { TemporaryError } from "../../../src/image/retry.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function refusal(status: number, body: string, headers: Record<string, string> = {}) {
  const limits = { idle_ms: 1000, signal: new AbortController().signal, silence: new AbortController() };
  const answer = new Answer(new Response(body, { status, headers }), new URL("https://r.example"), limits);
  return describeRefusal(answer, "registry", "image_not_found", () => NOW);
}

describe("the registry's own code and message are kept", () => {
  const cases: [name: string, body: string, message: string][] = [
    [
      "as the specification says",
      '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}',
      "registry answered 404 MANIFEST_UNKNOWN: manifest unknown",
    ],
    ["without a message", '{"errors":[{"code":"DENIED"}]}', "registry answered 404 DENIED"],
    ["without a code", '{"errors":[{"message":"no"}]}', "registry answered 404: no"],
    ["an empty list", '{"errors":[]}', "registry answered 404"],
    ["of the wrong type", '{"errors":[{"code":5}]}', "registry answered 404"],
    ["not JSON", "<html>not found</html>", "registry answered 404"],
    ["nothing", "", "registry answered 404"],
    ["too long to be read", `{"errors":[{"code":"A"}]${" ".repeat(70_000)}}`, "registry answered 404"],
    [
      "control characters and line breaks are blanked",
      JSON.stringify({ errors: [{ code: "A\u001b[31m", message: "one\r\ntwo\u202e\u0000three" }] }),
      "registry answered 404 A [31m: one two three",
    ],
    [
      "a long text is cut",
      JSON.stringify({ errors: [{ code: "C".repeat(5000), message: "m".repeat(5000) }] }),
      `registry answered 404 ${"C".repeat(49)}…: ${"m".repeat(199)}…`,
    ],
  ];
  for (const [name, body, message] of cases) {
    test(name, async () => {
      const error = await refusal(404, body);
      assert.equal(error.message, message);
      assert.equal(error.code, "image_not_found");
      assert.ok(!(error instanceof TemporaryError));
    });
  }
});

for (const status of [429, 500, 502, 503, 504]) {
  test(`${status} is worth another try, after the time the server asks for`, async () => {
    const error = await refusal(status, "", { "retry-after": "7" });
    assert.ok(error instanceof TemporaryError);
    assert.equal(error.code, "image_pull_failed");
    assert.equal(error.retry_after_ms, 7000);
  });
}

describe("Retry-After", () => {
  const cases: [header: string | null, wait_ms: number | undefined][] = [
    [null, undefined],
    ["", undefined],
    ["0", 0],
    [" 120 ", 120_000],
    ["-5", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
  ];
  for (const [header, wait_ms] of cases) {
    test(JSON.stringify(header), () => assert.equal(parseRetryAfter(header, NOW), wait_ms));
  }
});
