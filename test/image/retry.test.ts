import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { retry, TemporaryError } from "../../src/image/retry.ts";
import { TestClock } from "./support/test-clock.ts";

const never = new AbortController().signal;
const failing = (errors: unknown[]) => async () => {
  if (errors.length > 0) throw errors.shift();
  return "done";
};

test("a temporary failure is tried again, with waits that double", async () => {
  const clock = new TestClock();
  const errors = [1, 2, 3, 4].map((n) => new TemporaryError(`failure ${n}`));
  assert.equal(await retry(failing(errors), clock, never), "done");
  assert.deepEqual(clock.sleeps, [500, 1000, 2000, 4000]);
});

test("the fifth failure in a row is final", async () => {
  const clock = new TestClock();
  const errors = [1, 2, 3, 4, 5].map((n) => new TemporaryError(`failure ${n}`));
  await assert.rejects(retry(failing(errors), clock, never), /failure 5/);
  assert.equal(clock.sleeps.length, 4);
});

test("the server may say how long to wait, but not too long", async () => {
  const clock = new TestClock();
  assert.equal(
    await retry(failing([new TemporaryError("x", { retry_after_ms: 30_000 })]), clock, never),
    "done",
  );
  await assert.rejects(retry(failing([new TemporaryError("x", { retry_after_ms: 30_001 })]), clock, never));
  assert.deepEqual(clock.sleeps, [30_000]);
});

test("any other failure is final", async () => {
  const clock = new TestClock();
  await assert.rejects(retry(failing([new BoxerError("image_not_found", "no")]), clock, never), /no/);
  await assert.rejects(retry(failing([new TypeError("bug")]), clock, never), /bug/);
  assert.deepEqual(clock.sleeps, []);
});

test("an abort ends the wait", async () => {
  const controller = new AbortController();
  const attempt = async () => {
    controller.abort(new Error("gone"));
    throw new TemporaryError("x");
  };
  await assert.rejects(retry(attempt, new TestClock(), controller.signal), /gone/);
});
