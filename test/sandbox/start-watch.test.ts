import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onceStarted, startWatch } from "../../src/sandbox/start-watch.ts";
import { until } from "../support/leftovers.ts";
import { tempDirectory } from "../support/temp-directory.ts";

test("does its action once when the pid file is there, not before", async (t) => {
  const pidFile = join(await tempDirectory(t), "pid");
  let done = 0;
  const stop = onceStarted(pidFile, async () => {
    done += 1;
  });
  await sleep(30);
  assert.equal(done, 0);
  await writeFile(pidFile, "1");
  await until(() => done > 0);
  await sleep(30);
  assert.equal(done, 1);
  stop();
});

test("does nothing once it is stopped, and bears a failing action", async (t) => {
  const pidFile = join(await tempDirectory(t), "pid");
  let done = 0;
  onceStarted(pidFile, async () => {
    done += 1;
  })();
  let failed = false;
  onceStarted(pidFile, async () => {
    failed = true;
    throw new Error("gone");
  });
  await writeFile(pidFile, "1");
  await until(() => failed);
  assert.equal(done, 0);
});

test("a sandbox that is not there in time is seen, one that is there is not, and never later", async (t) => {
  const pidFile = join(await tempDirectory(t), "pid");
  const early = startWatch(pidFile, 60_000);
  assert.equal(await early(), null);
  const late = startWatch(pidFile, 0);
  await writeFile(pidFile, "1");
  assert.equal(await late(), null);
  const missing = startWatch(`${pidFile}-other`, 0);
  assert.deepEqual([await missing(), await missing()], ["not_started", null]);
});
