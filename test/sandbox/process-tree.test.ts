import assert from "node:assert/strict";
import { test } from "node:test";
import { descendantsOf, signalAll } from "../../src/sandbox/process-tree.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";
import { isAlive, killAfter } from "../support/processes.ts";
import { PLAIN_ENV, textOf } from "../support/run-to-end.ts";
import type { TestContext } from "../support/temp-directory.ts";

/** A pid that no process can have: the kernel's largest is 2^22. */
const NO_PID = 2 ** 22 + 1;

/** Starts a shell script and reads the pids that it writes, so many lines of them. */
async function startTree(t: TestContext, lines: number, script: string) {
  const child = platform.spawn(["sh", "-c", script], { env: PLAIN_ENV });
  killAfter(t, child.pid);
  const stderr = textOf(child.stderr);
  const reader = child.stdout[Symbol.asyncIterator]();
  let text = "";
  while (text.split("\n").length <= lines) {
    const { value, done } = await reader.next();
    assert.ok(!done, "the script ended early");
    text += Buffer.from(value).toString();
  }
  const pids = text.trim().split("\n").map(Number);
  for (const pid of pids) killAfter(t, pid);
  const end = async () => {
    child.kill("SIGKILL");
    while (!(await reader.next()).done);
    await Promise.all([stderr, child.exited]);
  };
  return { pid: child.pid, pids, end };
}

test("children, grandchildren and those in sessions of their own are found, the process itself is not", async (t) => {
  const script = "sleep 600 & echo $!; setsid sh -c 'sleep 600 & echo $$; echo $!; wait' & wait";
  const { pid, pids, end } = await startTree(t, 3, script);
  const found = await descendantsOf(pid);
  assert.deepEqual(found.toSorted(), pids.toSorted());
  signalAll(found, "SIGKILL");
  await end();
});

test("a process without children has no descendants, nor has one that does not exist", async (t) => {
  const { pid, end } = await startTree(t, 1, "echo $$; exec sleep 600");
  assert.deepEqual(await descendantsOf(pid), []);
  await end();
  assert.deepEqual(await descendantsOf(pid), []);
  assert.deepEqual(await descendantsOf(NO_PID), []);
});

test("all processes named are killed, the stopped one too; those that are gone are passed over", async (t) => {
  const { pid, pids, end } = await startTree(
    t,
    2,
    "sleep 600 & kill -STOP $!; echo $!; sleep 600 & echo $!; wait",
  );
  signalAll([NO_PID, ...pids, NO_PID], "SIGKILL");
  for (const sleeper of pids) await until(async () => !(await isAlive(sleeper)));
  signalAll([...pids, pid], "SIGKILL");
  await end();
});

test("killing nobody kills nobody", () => {
  signalAll([], "SIGKILL");
});
