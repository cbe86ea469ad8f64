import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { BoxerError, errnoOf, isDiskFull, messageOf } from "../../src/core/errors.ts";

test("a BoxerError carries code, message, field and cause", () => {
  const cause = new Error("deeper");
  const error = new BoxerError("invalid_request", "cmd is required", { cause, field: "cmd" });
  assert.ok(error instanceof Error);
  assert.equal(error.name, "BoxerError");
  assert.equal(error.code, "invalid_request");
  assert.equal(error.message, "cmd is required");
  assert.equal(error.field, "cmd");
  assert.equal(error.cause, cause);
  assert.equal(error.exec_id, undefined);
});

test("a BoxerError without a cause has no cause property to show in logs", () => {
  const error = new BoxerError("internal", "x");
  assert.equal("cause" in error, false);
  assert.equal(error.field, undefined);
});

test("the message of anything thrown is text", () => {
  assert.equal(messageOf(new TypeError("bad type")), "bad type");
  assert.equal(messageOf("a string"), "a string");
  assert.equal(messageOf(undefined), "undefined");
  assert.equal(messageOf(null), "null");
  assert.equal(messageOf(42), "42");
});

test("the errno name of a system error is told from other errors", async () => {
  const missing = await readFile("/nosuch/file").catch((error: unknown) => error);
  assert.equal(errnoOf(missing), "ENOENT");
  assert.equal(errnoOf(new Error("plain")), undefined);
  assert.equal(errnoOf(Object.assign(new Error("numeric"), { code: 2 })), undefined);
  assert.equal(errnoOf({ code: "ENOENT" }), undefined);
  assert.equal(errnoOf(undefined), undefined);
});

test("a full disk and a quota that is used up are one thing", () => {
  const fault = (code: string) => Object.assign(new Error(code), { code });
  assert.deepEqual(
    ["ENOSPC", "EDQUOT", "EIO"].map((code) => isDiskFull(fault(code))),
    [true, true, false],
  );
  assert.equal(isDiskFull(new BoxerError("disk_full", "x")), false);
  assert.equal(isDiskFull("ENOSPC"), false);
});
