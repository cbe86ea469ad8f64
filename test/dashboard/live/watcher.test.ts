import assert from "node:assert/strict";
import { test } from "node:test";
import type { Topic } from "../../../src/dashboard/dashboard-data.ts";
import { Watcher } from "../../../src/dashboard/live/watcher.ts";

function watching() {
  const state = { looks: 0, value: "a" };
  const look = () => {
    state.looks += 1;
    return state.value;
  };
  return { state, watcher: new Watcher([{ topic: "runs", every_ms: () => 0, look }]) };
}

test("nothing is looked at while nobody listens, and no more after the last has gone", async () => {
  const { state, watcher } = watching();
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(state.looks, 0);
  const told = Promise.withResolvers<ReadonlySet<Topic>>();
  const stop = watcher.subscribe(told.resolve);
  state.value = "b";
  assert.deepEqual([...(await told.promise)], ["runs"]);
  stop();
  const { looks } = state;
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(state.looks, looks);
});

test("what changes right after the first has come is told", async () => {
  const { state, watcher } = watching();
  const told = Promise.withResolvers<ReadonlySet<Topic>>();
  const stop = watcher.subscribe(told.resolve);
  state.value = "b";
  assert.deepEqual([...(await told.promise)], ["runs"]);
  stop();
});

test("what does not change is not told, however often it is looked at", async () => {
  const { state, watcher } = watching();
  const stop = watcher.subscribe(() => assert.fail("told"));
  while (state.looks < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  stop();
});

test("when it is closed all listeners are told so, once", () => {
  const { watcher } = watching();
  let ended = 0;
  watcher.subscribe(
    () => {},
    () => {
      ended += 1;
    },
  );
  watcher.close();
  watcher.close();
  assert.deepEqual([ended, watcher.listeners], [1, 0]);
});
