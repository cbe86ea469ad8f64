import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startWatch } from "../../src/sandbox/start-watch.ts";
import { tempDirectory } from "../support/temp-directory.ts";

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
