import assert from "node:assert/strict";
import { test } from "node:test";
import { Throttle } from "../../../src/dashboard/access/throttle.ts";

/** A throttle and its clock. */
function throttle() {
  const clock = { now_ms: 1_000_000 };
  const made = new Throttle(() => clock.now_ms);
  const fail = (client: string, times: number) => {
    for (let count = 0; count < times; count += 1) made.failed(client);
  };
  return { clock, made, fail };
}

test("a few wrong guesses cost nothing, then each costs twice the wait of the one before, a minute at most", () => {
  const { clock, made } = throttle();
  const waits = Array.from({ length: 14 }, () => {
    made.failed("a");
    const wait_ms = made.wait_ms("a");
    clock.now_ms += wait_ms;
    assert.equal(made.wait_ms("a"), 0);
    return wait_ms / 1_000;
  });
  assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
});

test("a client that waits keeps no other waiting", () => {
  const { made, fail } = throttle();
  fail("a", 10);
  assert.deepEqual([made.wait_ms("a") > 0, made.wait_ms("b")], [true, 0]);
});

test("a right guess makes forget, and so does a quarter of an hour", () => {
  const { clock, made, fail } = throttle();
  fail("a", 5);
  fail("b", 5);
  made.succeeded("a");
  assert.deepEqual([made.wait_ms("a"), made.wait_ms("b")], [0, 1_000]);
  clock.now_ms += 15 * 60_000;
  assert.equal(made.wait_ms("b"), 0);
  fail("b", 1);
  assert.equal(made.wait_ms("b"), 0);
});

test("endless clients take no endless memory, and win no free guesses by being many", () => {
  const { made, fail } = throttle();
  for (let client = 0; client < 1_000; client += 1) made.failed(`client ${client}`);
  assert.equal(made.wait_ms("another"), 0);
  fail("another", 3);
  fail("yet another", 3);
  assert.deepEqual([made.wait_ms("a third") > 0, made.wait_ms("client 1")], [true, 0]);
});
