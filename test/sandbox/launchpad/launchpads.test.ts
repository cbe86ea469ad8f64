import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../../src/core/log.ts";
import type { Launchpad } from "../../../src/sandbox/launchpad/launchpad.ts";
import { Launchpads } from "../../../src/sandbox/launchpad/launchpads.ts";
import { until } from "../../support/leftovers.ts";
import { strictCleanup } from "../../support/strict-cleanup.ts";

/** Time for something to happen that must not. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Launchpads that hold nothing, made when the test lets them be. */
function makeLaunchpads(size: number) {
  const seen = { ids: [] as string[], making: 0, most: 0, given_back: [] as string[] };
  const dead = new Set<string>();
  /** What making one waits for. */
  const steer = { gate: Promise.resolve(), fault: null as Error | null };
  const launchpads = new Launchpads(
    async (id) => {
      seen.ids.push(id);
      seen.making += 1;
      seen.most = Math.max(seen.most, seen.making);
      await steer.gate.finally(() => {
        seen.making -= 1;
      });
      if (steer.fault) throw steer.fault;
      const cleanup = strictCleanup();
      cleanup.defer("launchpad", () => seen.given_back.push(id));
      const launcher = {
        get isWaiting() {
          return !dead.has(id);
        },
      };
      return { id, cleanup, launcher } as unknown as Launchpad;
    },
    size,
    silentLog,
  );
  const full = async () => {
    launchpads.refill();
    await until(() => launchpads.ready.length === size);
  };
  return { launchpads, seen, dead, steer, full };
}

/** A promise, and what settles it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: () => resolve() };
}

test("those that are ready are handed out once each, the oldest first", async () => {
  const { launchpads, seen, full } = makeLaunchpads(3);
  await full();
  assert.equal(seen.ids.length, 3);
  const taken = [await launchpads.take(), await launchpads.take(), await launchpads.take()];
  assert.deepEqual(
    taken.map(({ id }) => id),
    seen.ids,
  );
  assert.equal(new Set(seen.ids).size, 3);
  for (const id of seen.ids) assert.match(id, /^boxer-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(launchpads.ready.length, 0);
  assert.deepEqual(seen.given_back, []);
});

test("many that are taken at once are all different", async () => {
  const { launchpads, full } = makeLaunchpads(4);
  await full();
  const taken = await Promise.all(Array.from({ length: 10 }, () => launchpads.take()));
  assert.equal(new Set(taken).size, 10);
});

test("nothing is made before it is asked for, and taking one makes no other", async () => {
  const { launchpads, seen, full } = makeLaunchpads(2);
  await settle();
  assert.equal(seen.ids.length, 0);
  await full();
  await launchpads.take();
  await settle();
  assert.deepEqual([seen.ids.length, launchpads.ready.length], [2, 1]);
});

test("where none is ready one is made at once, beside one that is being made", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(1);
  const slow = gate();
  steer.gate = slow.promise;
  launchpads.refill();
  assert.equal(seen.making, 1);
  steer.gate = Promise.resolve();
  const { id } = await launchpads.take();
  assert.equal(id, seen.ids[1]);
  slow.open();
  await until(() => launchpads.ready.length === 1);
  assert.equal((await launchpads.take()).id, seen.ids[0]);
});

test("one that cannot be made at once throws what that gave, and the next may do", async () => {
  const { launchpads, steer } = makeLaunchpads(0);
  steer.fault = new Error("no room");
  await assert.rejects(launchpads.take(), steer.fault);
  steer.fault = null;
  assert.ok((await launchpads.take()).id);
});

test("one whose launcher is dead is given back and not handed out", async () => {
  const { launchpads, seen, dead, full } = makeLaunchpads(3);
  await full();
  const [first = "", second = "", third] = seen.ids;
  dead.add(first).add(second);
  assert.equal((await launchpads.take()).id, third);
  await until(() => seen.given_back.length === 2);
  assert.deepEqual(seen.given_back, [first, second]);
});

test("where all are dead, one is made", async () => {
  const { launchpads, seen, dead, full } = makeLaunchpads(2);
  await full();
  for (const id of seen.ids) dead.add(id);
  assert.equal((await launchpads.take()).id, seen.ids[2]);
  assert.equal(launchpads.ready.length, 0);
});

test("a refill makes what is missing, one at a time, however often it is asked for", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(4);
  const slow = gate();
  steer.gate = slow.promise;
  for (let count = 0; count < 5; count += 1) launchpads.refill();
  await settle();
  assert.deepEqual([seen.making, seen.ids.length], [1, 1]);
  slow.open();
  await until(() => launchpads.ready.length === 4);
  await settle();
  assert.deepEqual([seen.most, seen.ids.length], [1, 4]);
  for (let round = 0; round < 3; round += 1) {
    await launchpads.take();
    await launchpads.take();
    launchpads.refill();
    launchpads.refill();
    await until(() => launchpads.ready.length === 4);
  }
  await settle();
  assert.deepEqual([seen.most, seen.ids.length], [1, 10]);
});

test("those that are taken while they are being made are made up for", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(2);
  const slow = gate();
  launchpads.refill();
  await until(() => launchpads.ready.length === 2);
  await launchpads.take();
  steer.gate = slow.promise;
  launchpads.refill();
  await launchpads.take();
  slow.open();
  await until(() => launchpads.ready.length === 2);
  assert.equal(seen.ids.length, 4);
});

test("with a size of none nothing is made ahead", async () => {
  const { launchpads, seen } = makeLaunchpads(0);
  launchpads.refill();
  await settle();
  assert.deepEqual([seen.ids.length, launchpads.ready.length], [0, 0]);
});

test("what cannot be made ahead is not tried on and on, but at the next refill", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(2);
  steer.fault = new Error("no room");
  launchpads.refill();
  await settle();
  assert.deepEqual([seen.ids.length, launchpads.ready.length], [1, 0]);
  launchpads.refill();
  await settle();
  assert.equal(seen.ids.length, 2);
  steer.fault = null;
  launchpads.refill();
  await until(() => launchpads.ready.length === 2);
});

test("closing gives back all that wait, and not those that were taken", async () => {
  const { launchpads, seen, full } = makeLaunchpads(3);
  await full();
  const { id } = await launchpads.take();
  await launchpads.close();
  assert.deepEqual(seen.given_back.sort(), seen.ids.filter((each) => each !== id).sort());
  assert.equal(launchpads.ready.length, 0);
});

test("closing while they are being made leaves none, and none is made ahead any more", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(3);
  const slow = gate();
  steer.gate = slow.promise;
  launchpads.refill();
  await settle();
  let closed = false;
  const closing = launchpads.close().then(() => {
    closed = true;
  });
  await settle();
  assert.deepEqual([closed, seen.given_back], [false, []]);
  slow.open();
  await closing;
  launchpads.refill();
  await settle();
  assert.deepEqual([seen.ids.length, seen.given_back, launchpads.ready.length], [1, seen.ids, 0]);
});

test("closing bears one that cannot be made", async () => {
  const { launchpads, seen, steer } = makeLaunchpads(1);
  const slow = gate();
  steer.gate = slow.promise;
  steer.fault = new Error("no room");
  launchpads.refill();
  const closing = launchpads.close();
  slow.open();
  await closing;
  assert.deepEqual(seen.given_back, []);
});
