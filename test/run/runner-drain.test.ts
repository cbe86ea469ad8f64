import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { Runner, type RunnerLimits } from "../../src/run/runner.ts";
import { fakeParts, REQUEST, runnerLimits } from "../support/run-parts.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const NEVER = new AbortController().signal;
const CLIENT = "10.0.0.1";
const LONG_MS = 600_000;
const isBoxerError = (code: string) => (error: unknown) => error instanceof BoxerError && error.code === code;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

async function runnerWith(t: TestContext, limits: Partial<RunnerLimits> = {}) {
  const parts = fakeParts(await tempDirectory(t));
  return { ...parts, runner: new Runner(parts.parts, runnerLimits(limits), silentLog) };
}

/** Tells whether a promise has settled yet. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const state = { settled: false };
  void promise.finally(() => {
    state.settled = true;
  });
  return state;
}

test("a runner without runs drains at once, and takes none afterwards", async (t) => {
  const { runner } = await runnerWith(t);
  assert.equal(runner.draining, false);
  await runner.drain(LONG_MS);
  assert.equal(runner.draining, true);
  await assert.rejects(runner.submit(REQUEST, NEVER, CLIENT), isBoxerError("draining"));
});

test("draining refuses new runs from the start, and lets those under way end", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const result = runner.submit(REQUEST, NEVER, CLIENT);
  const running = await sandbox.next();
  const drained = runner.drain(LONG_MS);
  const state = watch(drained);
  await assert.rejects(runner.submit(REQUEST, NEVER, CLIENT), isBoxerError("draining"));
  await settle();
  assert.deepEqual([state.settled, running.signal.aborted], [false, false]);
  running.finish();
  assert.equal((await result).status, "ok");
  await drained;
});

test("draining waits for runs that wait for a slot", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  const results = [runner.submit(REQUEST, NEVER, CLIENT), runner.submit(REQUEST, NEVER, CLIENT)];
  const first = await sandbox.next();
  const drained = runner.drain(LONG_MS);
  first.finish();
  (await sandbox.next()).finish();
  for (const { status } of await Promise.all(results)) assert.equal(status, "ok");
  await drained;
});

test("draining waits for the teardown of runs that were answered", async (t) => {
  const { runner, sandbox, images } = await runnerWith(t);
  const { promise: mayRelease, resolve: letRelease } = Promise.withResolvers<void>();
  images.releasing = mayRelease;
  const result = runner.submit(REQUEST, NEVER, CLIENT);
  (await sandbox.next()).finish();
  await result;
  const drained = runner.drain(LONG_MS);
  const state = watch(drained);
  await settle();
  assert.equal(state.settled, false);
  letRelease();
  await drained;
});

test("after the grace those that still run are stopped, and those that wait leave", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  const running = runner.submit(REQUEST, NEVER, CLIENT);
  await sandbox.next();
  const waiting = runner.submit(REQUEST, NEVER, CLIENT).catch((error: unknown) => error);
  await runner.drain(1);
  assert.equal((await running).status, "canceled");
  assert.ok(isBoxerError("canceled")(await waiting));
  assert.equal(sandbox.started, 1);
});

test("stopAll stops every run at once, and a drain under way then ends", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const results = [runner.submit(REQUEST, NEVER, CLIENT), runner.submit(REQUEST, NEVER, CLIENT)];
  await sandbox.next();
  await sandbox.next();
  const drained = runner.drain(LONG_MS);
  runner.stopAll();
  for (const { status } of await Promise.all(results)) assert.equal(status, "canceled");
  await drained;
});

test("a failing teardown does not keep a drain from ending, nor a slot from coming free", async (t) => {
  const { runner, sandbox, images } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  images.releasing = Promise.reject(new Error("cannot release"));
  images.releasing.catch(() => {});
  const results = [runner.submit(REQUEST, NEVER, CLIENT), runner.submit(REQUEST, NEVER, CLIENT)];
  (await sandbox.next()).finish();
  (await sandbox.next()).finish();
  for (const { status } of await Promise.all(results)) assert.equal(status, "ok");
  await runner.drain(LONG_MS);
});
