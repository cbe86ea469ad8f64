import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../support/service.ts";

describe("hostile requests to POST /run", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ request_limit_bytes: 1 << 20 });
  });
  after(() => service.stop());

  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    service.fetch("/run", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  const run = (rest: object) => service.run({ cmd: ["env"], ...rest });

  it("huge JSON: a body over the limit is answered 413 in JSON", async () => {
    const response = await post(JSON.stringify({ image: "x".repeat(2 << 20), cmd: ["true"] }));
    assert.equal(response.status, 413);
    const body = await response.json();
    assert.equal(body.code, "payload_too_large");
    assert.match(body.error, /1048576/);
  });

  it("huge JSON: a body that hides its length is cut at the limit", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent > 64 << 20) return controller.close();
        sent += 65536;
        controller.enqueue(new Uint8Array(65536).fill(0x20));
      },
    });
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: endless,
      duplex: "half",
    };
    const response = await service.fetch("/run", init as RequestInit).catch(() => null);
    // The client may learn of it by the answer or by the closed connection.
    if (response) assert.equal(response.status, 413);
    assert.ok(sent < 32 << 20, `took ${sent} bytes`);
    assert.equal((await service.fetch("/healthz")).status, 200);
  });

  it("deep JSON: nesting without end is answered 400", async () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const response = await post(open.repeat(100_000) + close.repeat(100_000));
      assert.deepEqual([response.status, (await response.json()).code], [400, "invalid_json"]);
    }
  });

  it("brackets inside strings are not nesting", async () => {
    const { status, body } = await service.run({ cmd: ["echo", "[".repeat(1000), '\\"{'] });
    assert.deepEqual([status, body.stdout], [200, `${"[".repeat(1000)} \\"{\n`]);
  });

  it("invalid UTF-8 in JSON is answered 400", async () => {
    const response = await post(new Uint8Array([0x22, 0xff, 0x22]));
    assert.deepEqual([response.status, (await response.json()).code], [400, "invalid_json"]);
  });

  it("prototype keys are unknown fields", async () => {
    const response = await post('{"image":"x","cmd":["true"],"__proto__":{"persist":true}}');
    assert.equal(response.status, 400);
  });

  for (const entry of ["", "B", "=x", "A\u0000=x", "A=\u0000", "A\nB=x"]) {
    it(`env ${JSON.stringify(entry)} is refused with the entry's index`, async () => {
      const { status, body } = await run({ env: ["OK=1", entry] });
      assert.deepEqual([status, body.field], [400, "env[1]"]);
    });
  }

  it("env with a newline in its value arrives as it is and makes no second variable", async () => {
    const { body } = await run({ env: ["A=1\nB=2"], cmd: ["sh", "-c", 'printf %s "$A"; echo "|$B|"'] });
    assert.equal(body.stdout, "1\nB=2||\n");
  });

  for (const path of ["proc/self/x", "dev/null", "sys/x", "tmp/x", "output/x", "proc", "tmp"]) {
    it(`mount over /${path} is refused`, async () => {
      const { status, body } = await run({ inline_files: [{ path, content: "x" }] });
      assert.deepEqual([status, body.code, body.field], [400, "invalid_path", "inline_files[0].path"]);
    });
  }

  it("mounts of one file below another, or twice at one place, are refused", async () => {
    for (const paths of [
      ["a", "a/b"],
      ["a/b", "a"],
      ["a", "./a"],
    ]) {
      const { status, body } = await run({ inline_files: paths.map((path) => ({ path, content: "x" })) });
      assert.deepEqual([status, body.code], [400, "invalid_path"]);
    }
  });

  it("a command that tries to pass flags to runsc is an argument like any other", async () => {
    const { body } = await service.run({ cmd: ["--debug", "--root=/"] });
    assert.deepEqual([body.exit_code, body.stderr], [127, "--debug: command not found\n"]);
  });

  it("a page of another site cannot make a browser run anything", async () => {
    const response = await post('{"image":"local/busybox:1","cmd":["true"]}', {
      "sec-fetch-site": "cross-site",
    });
    assert.deepEqual([response.status, (await response.json()).code], [403, "cross_site"]);
  });

  it("an unknown path or method is answered 404 in JSON", async () => {
    for (const [method, path] of [
      ["GET", "/run"],
      ["GET", "/../../etc/passwd"],
      ["DELETE", "/run"],
      ["GET", "/assets/..%2fpackage.json"],
    ]) {
      const response = await service.fetch(path as string, { method: method as string });
      assert.equal(response.status, 404);
      assert.equal((await response.json()).code, "not_found");
    }
  });
});
