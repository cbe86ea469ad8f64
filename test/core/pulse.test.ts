import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listenToPulse, PULSE_MS } from "../../src/core/pulse.ts";
import { until } from "../support/leftovers.ts";

/** Time for a few beats, should there be any. */
const A_WHILE_MS = 5 * PULSE_MS;

test("whoever listens is called again and again, until it ends that", async () => {
  let beats = 0;
  const end = listenToPulse(() => {
    beats += 1;
  });
  await until(() => beats >= 3);
  end();
  const heard = beats;
  await sleep(A_WHILE_MS);
  assert.equal(beats, heard);
});

test("the end of one, also within a beat and twice, leaves the others as they are", async () => {
  const heard = { one: 0, other: 0 };
  const same = () => {
    heard.other += 1;
  };
  const endOne = listenToPulse(() => {
    heard.one += 1;
    endOne();
  });
  const ends = [listenToPulse(same), listenToPulse(same)];
  await until(() => heard.other >= 4);
  endOne();
  ends[0]?.();
  const before = heard.other;
  await until(() => heard.other > before);
  ends[1]?.();
  assert.equal(heard.one, 1);
});
