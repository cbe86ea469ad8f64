import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { SlotQueue } from "../../src/run/slot-queue.ts";

const NEVER = new AbortController().signal;
const queue = (max_active: number, max_waiting: number) => new SlotQueue({ max_active, max_waiting });
const settle = () => new Promise((resolve) => setImmediate(resolve));
const isBoxerError = (code: string) => (error: unknown) => error instanceof BoxerError && error.code === code;

/** Joins the queue under a name; notes the name when the slot is there. */
function join(slots: SlotQueue, name: string, seen: string[], signal = NEVER): Promise<() => void> {
  return slots.take(signal).then((release) => {
    seen.push(name);
    return release;
  });
}

test("as many slots as there are come at once, one more waits", async () => {
  const slots = queue(2, 10);
  const seen: string[] = [];
  await join(slots, "a", seen);
  await join(slots, "b", seen);
  void join(slots, "c", seen);
  await settle();
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual([slots.active, slots.waiting], [2, 1]);
});

test("slots are handed over in the order of arrival", async () => {
  const slots = queue(1, 10);
  const seen: string[] = [];
  const releases = ["a", "b", "c", "d"].map((name) => join(slots, name, seen));
  for (const release of releases) (await release)();
  assert.deepEqual(seen, ["a", "b", "c", "d"]);
  assert.deepEqual([slots.active, slots.waiting], [0, 0]);
});

test("a slot given back goes to who waits, not to who comes in that moment", async () => {
  const slots = queue(1, 10);
  const seen: string[] = [];
  const release = await join(slots, "first", seen);
  const waiting = join(slots, "waiting", seen);
  release();
  const late = join(slots, "late", seen);
  assert.equal(slots.active, 1);
  (await waiting)();
  (await late)();
  assert.deepEqual(seen, ["first", "waiting", "late"]);
});

test("slots given back in the same moment go to different ones", async () => {
  const slots = queue(2, 10);
  const releases = [await slots.take(NEVER), await slots.take(NEVER)];
  const waiting = [slots.take(NEVER), slots.take(NEVER)];
  for (const release of releases) release();
  for (const release of await Promise.all(waiting)) release();
  assert.deepEqual([slots.active, slots.waiting], [0, 0]);
});

test("a full queue says so at once, and takes again when one has left", async () => {
  const slots = queue(1, 2);
  const release = await slots.take(NEVER);
  const waiting = [slots.take(NEVER), slots.take(NEVER)];
  await assert.rejects(slots.take(NEVER), isBoxerError("queue_full"));
  assert.deepEqual([slots.active, slots.waiting], [1, 2]);
  release();
  (await waiting[0])?.();
  (await waiting[1])?.();
  assert.deepEqual([slots.active, slots.waiting], [0, 0]);
  (await slots.take(NEVER))();
});

test("without places to wait the slots themselves can still be had", async () => {
  const slots = queue(1, 0);
  const release = await slots.take(NEVER);
  await assert.rejects(slots.take(NEVER), isBoxerError("queue_full"));
  release();
  (await slots.take(NEVER))();
});

test("who goes away while waiting leaves the queue, and is not given the next slot", async () => {
  const slots = queue(1, 10);
  const seen: string[] = [];
  const release = await join(slots, "first", seen);
  const leaver = new AbortController();
  const leaving = join(slots, "leaver", seen, leaver.signal);
  const staying = join(slots, "stayer", seen);
  leaver.abort();
  await assert.rejects(leaving, isBoxerError("canceled"));
  assert.equal(slots.waiting, 1);
  release();
  (await staying)();
  assert.deepEqual(seen, ["first", "stayer"]);
  assert.equal(slots.active, 0);
});

test("who has gone before is refused, though a slot is free", async () => {
  const slots = queue(1, 1);
  await assert.rejects(slots.take(AbortSignal.abort()), isBoxerError("canceled"));
  assert.deepEqual([slots.active, slots.waiting], [0, 0]);
});

test("an abort after the slot was given changes nothing", async () => {
  const slots = queue(1, 1);
  const controller = new AbortController();
  const first = await slots.take(NEVER);
  const second = slots.take(controller.signal);
  first();
  const release = await second;
  controller.abort();
  assert.equal(slots.active, 1);
  release();
  assert.equal(slots.active, 0);
});

test("no listener stays on the signal of who was served or has left", async () => {
  const slots = queue(1, 10);
  const release = await slots.take(NEVER);
  const served = countingSignal();
  const left = countingSignal();
  const waiting = slots.take(served.signal);
  const leaving = slots.take(left.signal);
  left.abort();
  await assert.rejects(leaving, isBoxerError("canceled"));
  release();
  (await waiting)();
  assert.deepEqual([served.listeners(), left.listeners()], [0, 0]);
});

/** A signal that counts its listeners. */
function countingSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listening.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening.delete(args[1]);
    remove(...args);
  };
  return { signal, abort: () => controller.abort(), listeners: () => listening.size };
}
