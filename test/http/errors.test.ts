import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Elysia } from "elysia";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { errorPlugin } from "../../src/http/errors.ts";
import { QueueFullError } from "../../src/run/admission/queue-full-error.ts";

async function answerTo(thrown: unknown): Promise<{ status: number; headers: Headers; body: unknown }> {
  const app = new Elysia().use(errorPlugin(silentLog)).get("/x", () => {
    throw thrown;
  });
  const response = await app.handle(new Request("http://localhost/x"));
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe("errors on the wire", () => {
  it("carry the message, the code and the field", async () => {
    const { status, body } = await answerTo(new BoxerError("invalid_path", "path: no", { field: "path" }));
    assert.equal(status, 400);
    assert.deepEqual(body, { error: "path: no", code: "invalid_path", field: "path" });
  });

  it("carry the run's id once it has one", async () => {
    const error = new BoxerError("sandbox_crashed", "crashed").ofRun("boxer-1");
    assert.deepEqual((await answerTo(error)).body, {
      error: "crashed",
      code: "sandbox_crashed",
      exec_id: "boxer-1",
      status: "sandbox_error",
    });
  });

  it("tell a client of a full queue when to come again", async () => {
    const full = new QueueFullError({ active: 2, queue_length: 3, retry_after_secs: 14 });
    const { status, headers, body } = await answerTo(full);
    assert.deepEqual([status, headers.get("retry-after")], [429, "14"]);
    assert.deepEqual(body, { error: full.message, code: "queue_full", active: 2, queue_length: 3 });
  });

  it("know a full disk by its errno", async () => {
    const error = Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" });
    const { status, body } = await answerTo(error);
    assert.deepEqual([status, body], [500, { error: "The disk is full", code: "disk_full" }]);
  });

  it("are internal for everything else", async () => {
    const { status, body } = await answerTo(new TypeError("x is not a function"));
    assert.deepEqual(
      [status, body],
      [500, { error: "Internal error: x is not a function", code: "internal" }],
    );
  });

  it("name the method and path that do not exist", async () => {
    const app = new Elysia().use(errorPlugin(silentLog));
    const response = await app.handle(new Request("http://localhost/no?x=1", { method: "PUT" }));
    assert.deepEqual(
      [response.status, await response.json()],
      [404, { error: "There is no PUT /no", code: "not_found" }],
    );
  });
});
