import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import type { SandboxExit } from "../../src/sandbox/inspect-exit.ts";
import { runDirectoryAt } from "../../src/sandbox/runsc.ts";
import type { Guest } from "../../src/sandbox/sandbox.ts";
import { checkSecondAttempt, planSecondAttempt } from "../../src/sandbox/second-attempt.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const NOTHING = { bytes: new Uint8Array(), truncated: false };
const SOMETHING = { bytes: new Uint8Array(1), truncated: false };
const EXIT: SandboxExit = {
  status: { code: 2, signal: null },
  stop: null,
  stdout: NOTHING,
  stderr: NOTHING,
  wall_ms: 1,
  started: true,
  startFailure: null,
  panic: null,
  oomKilled: false,
  usage: null,
  warm: false,
};
const CRASH = { ...EXIT, panic: "panic: running on goroutine" };
const NO_CWD = { ...EXIT, startFailure: { kind: "no_cwd", message: "" } } as const;

async function plan(t: TestContext, exit: SandboxExit, cwd = "/work", outputs: string[] = []) {
  const directory = runDirectoryAt(await tempDirectory(t));
  await mkdir(directory.output);
  for (const name of outputs) await writeFile(join(directory.output, name), "");
  const inputs = [{ source: "/host/x", destination: "/lib/x" }];
  return planSecondAttempt(exit, { cwd, inputs } as unknown as Guest, directory);
}

test("a sandbox that ended by itself is not started again, whatever its exit code", async (t) => {
  assert.equal(await plan(t, EXIT), null);
});

test("a crash before anything could be seen is given a second chance", async (t) => {
  assert.deepEqual(await plan(t, CRASH), { reason: "crash", makeCwd: false });
});

test("a crash is not, once the run has written to a stream or to /output, or was stopped", async (t) => {
  assert.equal(await plan(t, { ...CRASH, stdout: SOMETHING }), null);
  assert.equal(await plan(t, { ...CRASH, stderr: SOMETHING }), null);
  assert.equal(await plan(t, CRASH, "/work", ["x"]), null);
  assert.equal(await plan(t, { ...CRASH, stop: "timed_out" }), null);
});

test("a working directory that the image lacks is made", async (t) => {
  assert.deepEqual(await plan(t, NO_CWD), { reason: "no_cwd", makeCwd: true });
});

test("one that cannot be made is refused by the name of its field", async (t) => {
  for (const cwd of ["/proc/x", "/dev/x", "/sys/x"]) {
    await assert.rejects(plan(t, NO_CWD, cwd), { code: "invalid_request", field: "cwd" });
  }
  const message = 'Error setting up root FS: resolving symlinks to "/etc/passwd/x": lstat: not a directory';
  const below = { ...EXIT, startFailure: { kind: "other", message } } as const;
  await assert.rejects(plan(t, below, "/etc/passwd/x"), { code: "invalid_request", field: "cwd" });
  assert.equal(await plan(t, below, "/elsewhere"), null);
  const taken = 'Error setting up root FS: creating working directory "/in/file": mkdir: not a directory';
  const itself = { ...EXIT, startFailure: { kind: "other", message: taken } } as const;
  await assert.rejects(plan(t, itself, "/in/file"), { code: "invalid_request", field: "cwd" });
});

test("a sandbox that ran out of memory is not started again, whatever it said when it died", async (t) => {
  assert.equal(await plan(t, { ...CRASH, oomKilled: true }), null);
});

test("a sandbox that never came to be is given a second chance", async (t) => {
  const attempt = await plan(t, { ...EXIT, started: false, stop: "not_started" });
  assert.deepEqual(attempt, { reason: "hang", makeCwd: false });
  assert.equal(await plan(t, { ...EXIT, stop: "not_started", oomKilled: true }), null);
});

test("an input below a link or a file of the image is refused by its path; another mount that fails is not", async (t) => {
  const failed = (message: string) => ({
    ...EXIT,
    startFailure: { kind: "no_mount_point", message } as const,
  });
  await assert.rejects(
    plan(t, failed('mounting submounts: mount submount "/lib/x": not a directory')),
    (error) => {
      assert.ok(error instanceof BoxerError);
      assert.deepEqual([error.code, error.field], ["invalid_path", "files"]);
      assert.match(error.message, /^\/lib\/x cannot be put there/);
      return true;
    },
  );
  assert.equal(await plan(t, failed('mounting submounts: mount submount "/lib/xy": not a directory')), null);
});

test("a working directory that could not be made either is refused, other faults of a second attempt are not", () => {
  const guest = { cwd: "/etc/passwd/x" } as Guest;
  const failed = (kind: "no_cwd" | "no_mount_point" | "other" | "not_executable") => ({
    ...EXIT,
    startFailure: { kind, message: "" },
  });
  const check = (kind: Parameters<typeof failed>[0], reason: "no_cwd" | "crash") => () =>
    checkSecondAttempt(failed(kind), { reason, makeCwd: reason === "no_cwd" }, guest);
  for (const kind of ["no_cwd", "no_mount_point", "other"] as const) {
    assert.throws(check(kind, "no_cwd"), (error) => error instanceof BoxerError && error.field === "cwd");
  }
  check("not_executable", "no_cwd")();
  check("other", "crash")();
});
