import assert from "node:assert/strict";
import { test } from "node:test";
import { Semaphore } from "../../src/image/semaphore.ts";

const never = new AbortController().signal;

test("no more than so many run at a time, in the order in which they came", async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const work = (id: number) => async () => {
    started.push(id);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return id;
  };
  const results = await Promise.all([1, 2, 3, 4, 5].map((id) => semaphore.run(work(id), never)));
  assert.deepEqual(results, [1, 2, 3, 4, 5]);
  assert.deepEqual(started, [1, 2, 3, 4, 5]);
  assert.equal(most, 2);
});

test("one who goes away while waiting leaves the place to the next", async () => {
  const semaphore = new Semaphore(1);
  const first = Promise.withResolvers<void>();
  const holding = semaphore.run(() => first.promise, never);
  const impatient = new AbortController();
  const gone = semaphore.run(async () => "never", impatient.signal);
  const next = semaphore.run(async () => "next", never);
  impatient.abort(new Error("gone"));
  await assert.rejects(gone, /gone/);
  first.resolve();
  await holding;
  assert.equal(await next, "next");
});

test("one who goes away in the moment of being let in gives the place back", async () => {
  const semaphore = new Semaphore(1);
  const first = Promise.withResolvers<void>();
  const impatient = new AbortController();
  const holding = semaphore.run(() => first.promise, never);
  const gone = semaphore.run(async () => "in after all", impatient.signal);
  await new Promise((resolve) => setImmediate(resolve));
  // Runs between the holder's leaving and the waiter's being told.
  first.promise.then(() => impatient.abort(new Error("gone")));
  first.resolve();
  await holding;
  await assert.rejects(gone, /gone/);
  assert.equal(await semaphore.run(async () => "free", never), "free");
});

test("work that fails gives its place back", async () => {
  const semaphore = new Semaphore(1);
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error("bad")), never),
    /bad/,
  );
  assert.equal(await semaphore.run(async () => 1, never), 1);
});
