import assert from "node:assert/strict";
import { test } from "node:test";
import { discardRest } from "../../src/http/discard-rest.ts";

const MIB = new Uint8Array(1024 * 1024);

test("a body that comes to its end is read to there", async () => {
  let left = 20;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(MIB);
      left -= 1;
    },
  });
  assert.equal(await discardRest(body.getReader()), true);
});

test("an endless body is given up and canceled", async () => {
  let pulled = 0;
  let canceled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(MIB);
    },
    cancel() {
      canceled = true;
    },
  });
  assert.equal(await discardRest(body.getReader()), false);
  assert.ok(pulled < 300);
  assert.ok(canceled);
});

test("a body that stands still is given up and canceled", async () => {
  let canceled = false;
  const body = new ReadableStream<Uint8Array>({
    cancel() {
      canceled = true;
    },
  });
  assert.equal(await discardRest(body.getReader(), 20), false);
  assert.ok(canceled);
});

test("a body that breaks is no fault", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull() {
      throw new Error("connection lost");
    },
  });
  assert.equal(await discardRest(body.getReader()), false);
});
