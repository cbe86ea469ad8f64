import assert from "node:assert/strict";
import { test } from "node:test";
import { Background } from "../../../src/image/background.ts";
import { UsageKeeper } from "../../../src/image/store/usage-keeper.ts";
import { testLog } from "../support/test-log.ts";

function keeper(delay_ms: number) {
  const background = new Background(testLog().log);
  const written = Promise.withResolvers<void>();
  const record = { writes: 0 };
  const write = async (): Promise<void> => {
    record.writes += 1;
    written.resolve();
  };
  return { keeper: new UsageKeeper({ write, background, delay_ms }), record, background, written };
}

test("many changes are one write, after a while", async () => {
  const { keeper: usage, record, written, background } = keeper(10);
  for (let change = 0; change < 1000; change++) usage.touch();
  assert.equal(record.writes, 0);
  // The timer is not to keep a process alive.
  const alive = setInterval(() => {}, 1000);
  await written.promise;
  clearInterval(alive);
  await background.settled();
  assert.equal(record.writes, 1);
});

test("what is not written is written when asked, once", async () => {
  const { keeper: usage, record, background } = keeper(60_000);
  usage.touch();
  usage.flush();
  usage.flush();
  await background.settled();
  assert.equal(record.writes, 1);
});

test("nothing is written when nothing has changed", async () => {
  const { keeper: usage, record, background } = keeper(60_000);
  usage.flush();
  await background.settled();
  assert.equal(record.writes, 0);
});
