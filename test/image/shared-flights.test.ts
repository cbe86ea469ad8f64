import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedFlights } from "../../src/image/shared-flights.ts";

const never = new AbortController().signal;

/** Work that ends when told to, and notes whether it was aborted. */
function controlled() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let starts = 0;
  const signals: AbortSignal[] = [];
  const start = (signal: AbortSignal): Promise<string> => {
    starts++;
    signals.push(signal);
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  };
  return { start, resolve, reject, signals, starts: () => starts };
}

test("work is done once for all who want it at the same time", async () => {
  const flights = new SharedFlights<string>();
  const work = controlled();
  const waiting = Array.from({ length: 50 }, () => flights.join("k", never, work.start));
  const other = flights.join("other", never, async () => "other");
  work.resolve("done");
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["done"]));
  assert.equal(await other, "other");
  assert.equal(work.starts(), 1);
});

test("neither success nor failure is remembered", async () => {
  const flights = new SharedFlights<string>();
  await assert.rejects(
    flights.join("k", never, () => Promise.reject(new Error("bad"))),
    /bad/,
  );
  assert.equal(await flights.join("k", never, async () => "a"), "a");
  assert.equal(await flights.join("k", never, async () => "b"), "b");
});

test("one who goes away leaves at once, and the work goes on for the others", async () => {
  const flights = new SharedFlights<string>();
  const work = controlled();
  const impatient = new AbortController();
  const gone = flights.join("k", impatient.signal, work.start);
  const stays = flights.join("k", never, work.start);
  impatient.abort(new Error("gone"));
  await assert.rejects(gone, /gone/);
  assert.equal(work.signals[0]?.aborted, false);
  work.resolve("done");
  assert.equal(await stays, "done");
});

test("when the last has gone the work is aborted, and the next starts anew", async () => {
  const flights = new SharedFlights<string>();
  const work = controlled();
  const callers = [new AbortController(), new AbortController()];
  const gone = callers.map(({ signal }) => flights.join("k", signal, work.start));
  for (const caller of callers) caller.abort(new Error("gone"));
  // Joined before the aborted work had the time to end.
  const next = flights.join("k", never, async () => "new");
  for (const one of gone) await assert.rejects(one, /gone/);
  assert.equal(work.signals[0]?.aborted, true);
  assert.equal(await next, "new");
});

test("work that was given up does not take its successor along when it ends", async () => {
  const flights = new SharedFlights<string>();
  const abandoned = Promise.withResolvers<string>();
  const impatient = new AbortController();
  const gone = flights.join("k", impatient.signal, () => abandoned.promise);
  impatient.abort(new Error("gone"));
  await assert.rejects(gone, /gone/);
  const work = controlled();
  const second = flights.join("k", never, work.start);
  abandoned.resolve("too late");
  await abandoned.promise;
  const third = flights.join("k", never, work.start);
  work.resolve("done");
  assert.deepEqual(await Promise.all([second, third]), ["done", "done"]);
  assert.equal(work.starts(), 1);
});

test("a caller whose signal has aborted starts nothing", () => {
  const flights = new SharedFlights<string>();
  const work = controlled();
  assert.throws(() => flights.join("k", AbortSignal.abort(new Error("gone")), work.start), /gone/);
  assert.equal(work.starts(), 0);
});

test("the failure of another's start is tried anew, the failure of one's own is final", async () => {
  const flights = new SharedFlights<string>();
  const work = controlled();
  const first = flights.joinOrRetry("k", never, work.start);
  const second = flights.joinOrRetry("k", never, async () => "second");
  const third = flights.joinOrRetry("k", never, async () => "third");
  work.reject(new Error("bad credentials"));
  await assert.rejects(first, /bad credentials/);
  assert.equal(await second, "second");
  assert.equal(await third, "second");
});

test("close aborts what is under way and waits for its end", async () => {
  const flights = new SharedFlights<string>();
  let hasEnded = false;
  const waiting = flights.join("k", never, async (signal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => setTimeout(resolve, 5));
    await promise;
    hasEnded = true;
    throw signal.reason;
  });
  waiting.catch(() => {});
  await flights.close(new Error("closing"));
  assert.equal(hasEnded, true);
  await assert.rejects(waiting, /closing/);
});
