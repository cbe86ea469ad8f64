import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLog } from "../../src/core/log.ts";
import { PLAIN_ENV, runToEnd } from "../support/run-to-end.ts";
import { scriptArgv } from "../support/script-argv.ts";

const SCRIPT = fileURLToPath(new URL("../support/scripts/write-log.ts", import.meta.url));

test("the log is JSON lines on stderr, complete even when the process ends at once", async () => {
  const env = { ...PLAIN_ENV, HOME: process.env.HOME ?? "/" };
  const { stdout, stderr, code } = await runToEnd(scriptArgv(SCRIPT), { env });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "");
  const [first, second, ...rest] = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(rest, []);
  assert.equal(first.msg, "first");
  assert.equal(first.exec_id, "boxer-1");
  assert.match(first.time, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal("pid" in first || "hostname" in first, false);
  assert.equal(second.msg, "second");
  assert.equal(second.err.message, "broken");
});

test("the silent log is disabled at every level", () => {
  for (const level of ["trace", "info", "error", "fatal"])
    assert.equal(silentLog.isLevelEnabled(level), false);
});
