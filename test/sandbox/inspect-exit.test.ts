import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { RunCgroup } from "../../src/sandbox/cgroup/types.ts";
import { inspectExit } from "../../src/sandbox/inspect-exit.ts";
import { NOT_MOUNTED } from "../../src/sandbox/overlay-root.ts";
import type { ProcessExit } from "../../src/sandbox/run-process.ts";
import { type RunDirectory, runDirectoryAt } from "../../src/sandbox/runsc.ts";
import { RUNSC_FAILURE_EXIT_CODE } from "../../src/sandbox/start-failure.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const USAGE = { cpu_user_ms: 1, cpu_system_ms: 2, peak_memory_bytes: 3, peak_pids: 4 };
const STREAM = { bytes: new Uint8Array(), truncated: false };
const PANIC = "panic: running on goroutine 7\ngoroutine 7 [running]:\n";
const FAILURE = '{"level":"error","msg":"cannot do it"}\n';

/** What is found out of an exit with that code, where those files lie in the run's directory. */
async function inspect(
  t: TestContext,
  code: number | null,
  files: Partial<Record<"log" | "panicLog" | "pidFile", string>>,
  isOom = false,
) {
  const directory: RunDirectory = runDirectoryAt(await tempDirectory(t));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(directory[name as keyof typeof files], text);
  }
  const status = { code, signal: code === null ? "SIGKILL" : null } as ProcessExit["status"];
  const exit: ProcessExit = { status, stop: null, stdout: STREAM, stderr: STREAM, wall_ms: 5 };
  const cgroup = {
    oomKilled: async () => isOom,
    usage: async () => USAGE,
  } as Partial<RunCgroup> as RunCgroup;
  return inspectExit(directory, exit, cgroup);
}

test("a program that ended well is nothing but that", async (t) => {
  const { started, startFailure, panic, oomKilled, usage, warm, status, wall_ms } = await inspect(t, 0, {
    pidFile: "7",
    log: FAILURE,
    panicLog: PANIC,
  });
  assert.deepEqual(
    { started, startFailure, panic, oomKilled, usage, warm },
    { started: true, startFailure: null, panic: null, oomKilled: false, usage: USAGE, warm: false },
  );
  assert.deepEqual([status.code, wall_ms], [0, 5]);
});

test("whether there was a sandbox is told by its pid", async (t) => {
  assert.equal((await inspect(t, 1, {})).started, false);
  assert.equal((await inspect(t, 1, { pidFile: "7" })).started, true);
});

test("only the exit code of runsc's own failures makes its log one", async (t) => {
  assert.equal(
    (await inspect(t, RUNSC_FAILURE_EXIT_CODE, { log: FAILURE })).startFailure?.message,
    "cannot do it",
  );
  assert.equal((await inspect(t, 1, { log: FAILURE })).startFailure, null);
});

test("a root that was not mounted is a failure, whatever the exit code", async (t) => {
  assert.notEqual((await inspect(t, 32, { log: NOT_MOUNTED })).startFailure, null);
});

test("a crash is told with its head only, other complaints are none", async (t) => {
  const { panic } = await inspect(t, 2, { panicLog: PANIC + "x".repeat(10_000) });
  assert.ok(panic?.startsWith(PANIC) && panic.length === 4096);
  assert.equal((await inspect(t, 2, { panicLog: "something to complain about\n" })).panic, null);
});

test("the kernel's kill for want of memory is told", async (t) => {
  assert.equal((await inspect(t, null, {}, true)).oomKilled, true);
});
