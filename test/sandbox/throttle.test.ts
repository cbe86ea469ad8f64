import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Throttle } from "../../src/sandbox/throttle.ts";
import { until } from "../support/leftovers.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** Time for a few looks, should there be any. */
const A_WHILE_MS = 40;

/** A throttle that counts how often it acts, and a way to have the sandbox there. */
async function throttle(t: TestContext, act: () => Promise<void> = async () => {}) {
  const pidFile = join(await tempDirectory(t), "pid");
  const seen = { acted: 0 };
  const made = new Throttle(pidFile, () => {
    seen.acted += 1;
    return act();
  });
  t.after(() => made.cancel());
  return { made, seen, start: () => writeFile(pidFile, "1") };
}

test("acts once when the pid file is there, not before", async (t) => {
  const { made, seen, start } = await throttle(t);
  await sleep(A_WHILE_MS);
  assert.equal(seen.acted, 0);
  await start();
  await until(() => seen.acted > 0);
  await sleep(A_WHILE_MS);
  assert.equal(seen.acted, 1);
  assert.equal(await made.watch(), null);
  await made.end();
});

test("the end of one run leaves the looks for another as they are", async (t) => {
  const [one, other, third] = [await throttle(t), await throttle(t), await throttle(t)];
  await one.made.end();
  await one.start();
  await other.start();
  await until(() => other.seen.acted > 0);
  await third.start();
  await until(() => third.seen.acted > 0);
  assert.deepEqual([one.seen.acted, other.seen.acted, third.seen.acted], [0, 1, 1]);
});

for (const how of ["cancel", "end"] as const) {
  test(`does nothing after ${how}()`, async (t) => {
    const { made, seen, start } = await throttle(t);
    await made[how]();
    await start();
    await sleep(A_WHILE_MS);
    assert.equal(seen.acted, 0);
  });
}

test("a run that cannot be throttled is stopped, and its end tells why", async (t) => {
  const fault = new Error("no such cgroup");
  const { made, start } = await throttle(t, () => Promise.reject(fault));
  assert.equal(await made.watch(), null);
  await start();
  await until(async () => (await made.watch()) !== null);
  assert.equal(await made.watch(), "canceled");
  await assert.rejects(made.end(), fault);
});

test("the end of a run waits for what is being set, and tells how that went", async (t) => {
  const { promise, reject } = Promise.withResolvers<void>();
  const { made, seen, start } = await throttle(t, () => promise);
  await start();
  await until(() => seen.acted > 0);
  let ended = false;
  const end = made.end().finally(() => {
    ended = true;
  });
  end.catch(() => {});
  await sleep(A_WHILE_MS);
  assert.equal(ended, false);
  const fault = new Error("late");
  reject(fault);
  await assert.rejects(end, fault);
});
