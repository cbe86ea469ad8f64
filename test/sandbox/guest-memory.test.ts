import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { canShowMemoryTotal, withMemoryTotal, writeMemoryTotal } from "../../src/sandbox/guest-memory.ts";
import { runProcess } from "../../src/sandbox/run-process.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";
import { PLAIN_ENV } from "../support/run-to-end.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const LIMITS = { wall_clock_ms: 30_000, output_limit_bytes: 1000, signal: new AbortController().signal };

test("a command sees the memory that it is shown, and words of its own as they are", {
  skip: noMounts(),
}, async (t) => {
  const file = join(await tempDirectory(t), "memory 'of' $(one)");
  await writeMemoryTotal(file, 300);
  const host = await readFile("/proc/meminfo", "utf8");
  const command = ["sh", "-c", 'cat /proc/meminfo; echo "$1"; exit 7', "sh", "$(id) 'x'"];
  const { status, stdout } = await runProcess(
    () => platform.spawn(withMemoryTotal(command, file), { env: PLAIN_ENV }),
    LIMITS,
  );
  assert.deepEqual(
    [status.code, Buffer.from(stdout.bytes).toString()],
    [7, "MemTotal: 307200 kB\n$(id) 'x'\n"],
  );
  assert.equal((await readFile("/proc/meminfo", "utf8")).split("\n")[0], host.split("\n")[0]);
});

test("a command whose memory cannot be shown is not run", { skip: noMounts() }, async () => {
  const argv = withMemoryTotal(["echo", "ran"], "/nosuch/file");
  const { status, stdout } = await runProcess(() => platform.spawn(argv, { env: PLAIN_ENV }), LIMITS);
  assert.deepEqual([status.code, stdout.bytes.length], [128, 0]);
});

test("the probe says whether it works, and leaves nothing", async (t) => {
  const home = await tempDirectory(t);
  assert.equal(await canShowMemoryTotal(platform, home), noMounts() === false);
  const refusing = { spawn: () => platform.spawn(["false"], { env: {} }) };
  assert.equal(await canShowMemoryTotal(refusing, home), false);
  assert.equal(await canShowMemoryTotal(platform, "/nosuch").catch(() => "no home"), "no home");
  assert.deepEqual(await readdir(home), []);
});
