import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../src/sandbox/warm-pool/backoff.ts";
import { keyOfShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { shapeOf } from "./support/fake-pool.ts";

const A = shapeOf("a");
const B = shapeOf("b");
const MINUTE_MS = 60_000;

/** How long the pause after each of so many failures is, each coming when the pause before has ended. */
function pausesOf(failures: number): number[] {
  const backoff = new Backoff();
  let now_ms = 0;
  return Array.from({ length: failures }, () => {
    backoff.fail(A, now_ms);
    const pause_ms = backoff.nextEnd(now_ms) - now_ms;
    now_ms += pause_ms;
    return pause_ms;
  });
}

test("each pause is twice as long as the one before, up to five minutes", () => {
  const pauses = pausesOf(12);
  assert.deepEqual(pauses.slice(0, 4), [1000, 2000, 4000, 8000]);
  assert.deepEqual(pauses.slice(-2), [5 * MINUTE_MS, 5 * MINUTE_MS]);
});

test("a shape is paused until its pause ends, and no other is", () => {
  const backoff = new Backoff();
  backoff.fail(A, 0);
  assert.equal(backoff.isPaused(keyOfShape(A), 999), true);
  assert.equal(backoff.isPaused(keyOfShape(A), 1000), false);
  assert.equal(backoff.isPaused(keyOfShape(B), 0), false);
});

test("only the first failure in a row is told as the first", () => {
  const backoff = new Backoff();
  assert.deepEqual([backoff.fail(A, 0), backoff.fail(A, 1000), backoff.fail(B, 1000)], [true, false, true]);
  backoff.clear(keyOfShape(A));
  assert.equal(backoff.fail(A, 2000), true);
});

test("the next end is that of the pause that ends first, of those that have not ended", () => {
  const backoff = new Backoff();
  assert.equal(backoff.nextEnd(0), Number.POSITIVE_INFINITY);
  backoff.fail(A, 0);
  backoff.fail(B, 500);
  assert.deepEqual([backoff.nextEnd(0), backoff.nextEnd(1000)], [1000, 1500]);
  assert.equal(backoff.nextEnd(1500), Number.POSITIVE_INFINITY);
});

test("the failures of shapes can be forgotten", () => {
  const backoff = new Backoff();
  backoff.fail(A, 0);
  backoff.fail(B, 0);
  backoff.forget(({ image }) => image === "a");
  assert.deepEqual(
    [A, B].map((shape) => backoff.isPaused(keyOfShape(shape), 0)),
    [false, true],
  );
});

test("a shape that nobody has tried for long begins anew", () => {
  const backoff = new Backoff();
  backoff.fail(A, 0);
  assert.equal(backoff.fail(B, 10 * MINUTE_MS), true);
  assert.equal(backoff.fail(A, 10 * MINUTE_MS), true);
});
