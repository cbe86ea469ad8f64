import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readJsonBody } from "../../src/http/json-body.ts";

const request = (body: BodyInit, type = "application/json") =>
  new Request("http://localhost/", { method: "POST", headers: { "content-type": type }, body });

describe("a JSON body", () => {
  it("is read up to the limit, to the byte", async () => {
    assert.deepEqual(await readJsonBody(request('{"a":1}'), 7), { a: 1 });
    await assert.rejects(readJsonBody(request('{"a":1}'), 6), { code: "payload_too_large" });
  });

  it("may name a charset and be written in any case", async () => {
    assert.equal(await readJsonBody(request("1", "Application/JSON; charset=utf-8"), 10), 1);
  });

  it("must be declared as JSON", async () => {
    for (const type of ["text/plain", "application/jsonp", "application/x-www-form-urlencoded"]) {
      await assert.rejects(readJsonBody(request("1", type), 10), { code: "unsupported_media_type" });
    }
  });

  it("must be JSON in UTF-8", async () => {
    for (const body of ["", "{", "nul", new Uint8Array([0x22, 0xc3, 0x22])]) {
      await assert.rejects(readJsonBody(request(body), 10), { code: "invalid_json" });
    }
  });

  it("may nest 64 levels and no more; brackets in strings do not count", async () => {
    const nested = (depth: number) => request("[".repeat(depth) + "]".repeat(depth));
    await readJsonBody(nested(64), 1000);
    await assert.rejects(readJsonBody(nested(65), 1000), { code: "invalid_json" });
    await readJsonBody(request(JSON.stringify(`"\\${"[".repeat(100)}`)), 1000);
  });
});
