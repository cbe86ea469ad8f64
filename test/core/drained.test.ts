import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { drained } from "../../src/core/drained.ts";

/** A stream that is full after one byte, and takes the next when it is told to. */
function given() {
  const state = { go: () => {} };
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      state.go = done;
    },
  });
  stream.on("error", () => {});
  assert.equal(stream.write("x"), false);
  let settled = false;
  const waiting = drained(stream).then(() => {
    settled = true;
  });
  return { stream, state, waiting, isSettled: () => settled };
}

test("waits until the stream takes more, and leaves no listener", async () => {
  const { stream, state, waiting, isSettled } = given();
  const listeners = () => ["drain", "close", "error"].map((event) => stream.listenerCount(event));
  assert.deepEqual(listeners(), [1, 1, 2]);
  await new Promise(setImmediate);
  assert.equal(isSettled(), false);
  state.go();
  await waiting;
  assert.deepEqual(listeners(), [0, 0, 1]);
});

for (const error of [undefined, new Error("broken")]) {
  test(`does not wait for a stream that is destroyed ${error ? "by a failure" : "in peace"}`, async () => {
    const { stream, waiting } = given();
    stream.destroy(error);
    await waiting;
  });
}
