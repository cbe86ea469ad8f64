import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { EndedRun, RunObserver } from "../../src/run/run-observer.ts";
import { Runner, type RunnerLimits } from "../../src/run/runner.ts";
import { countingSignal } from "../support/counting-signal.ts";
import { until } from "../support/leftovers.ts";
import { fakeParts, REQUEST, runnerLimits } from "../support/run-parts.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const NEVER = new AbortController().signal;
const CLIENT = "10.0.0.1";
const isBoxerError = (code: string) => (error: unknown) => error instanceof BoxerError && error.code === code;

/** A runner with parts that the test steers. */
async function runnerWith(
  t: TestContext,
  limits: Partial<RunnerLimits> = {},
  observers: readonly RunObserver[] = [],
) {
  const { promise: made, resolve } = Promise.withResolvers<Runner>();
  // Before the directory goes: an answer comes before what its run held is given back.
  t.after(async () => (await made).drain(0));
  const directory = await tempDirectory(t);
  const parts = fakeParts(directory);
  const runner = new Runner(parts.parts, runnerLimits(limits), silentLog, observers);
  resolve(runner);
  return { ...parts, runner, directory };
}

test("a run has an id of its own, and its answer is what the guest said", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const results = [runner.submit(REQUEST, NEVER, CLIENT), runner.submit(REQUEST, NEVER, CLIENT)];
  for (let count = 0; count < 2; count += 1) (await sandbox.next()).finish({ code: 0 }, "hello");
  const [first, second] = await Promise.all(results);
  assert.match(first?.exec_id ?? "", /^boxer-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.notEqual(first?.exec_id, second?.exec_id);
  assert.deepEqual([first?.status, Buffer.from(first?.stdout ?? []).toString()], ["ok", "hello"]);
});

test("output is told to who wants it as it comes, and a run's age begins with its start", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const told: string[] = [];
  const before = Date.now();
  const result = runner.submit(REQUEST, NEVER, CLIENT, {
    onOutput: (stream, chunk) => told.push(`${stream} ${Buffer.from(chunk)}`),
  });
  assert.equal(runner.active()[0]?.started_at_ms, null);
  const guest = await sandbox.next();
  guest.say("stderr", "early");
  assert.deepEqual(told, ["stderr early"]);
  assert.ok((runner.active()[0]?.started_at_ms ?? 0) >= before);
  guest.finish();
  await result;
});

test("a request that is wrong is refused before anything is acquired", async (t) => {
  const { runner, images } = await runnerWith(t);
  await assert.rejects(
    runner.submit({ ...REQUEST, env: ["B"] }, NEVER, CLIENT),
    isBoxerError("invalid_request"),
  );
  await assert.rejects(
    runner.submit({ ...REQUEST, files: ["../x"] }, NEVER, CLIENT),
    isBoxerError("invalid_path"),
  );
  assert.equal(images.acquired, 0);
});

test("more runs than slots wait for one, and more than may wait are refused at once", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  const first = runner.submit(REQUEST, NEVER, CLIENT);
  const running = await sandbox.next();
  const second = runner.submit(REQUEST, NEVER, CLIENT);
  await assert.rejects(runner.submit(REQUEST, NEVER, CLIENT), isBoxerError("queue_full"));
  assert.equal(sandbox.started, 1);
  running.finish();
  await first;
  (await sandbox.next()).finish();
  assert.equal((await second).status, "ok");
});

test("a slot is free again only when all that the run held has been given back", async (t) => {
  const { runner, sandbox, images, directory } = await runnerWith(t, {
    max_concurrent_runs: 1,
    max_queued_runs: 1,
  });
  const { promise: mayRelease, resolve: letRelease } = Promise.withResolvers<void>();
  images.releasing = mayRelease;
  const first = runner.submit(REQUEST, NEVER, CLIENT);
  (await sandbox.next()).finish();
  assert.equal((await first).status, "ok", "the answer does not wait for that");
  const second = runner.submit(REQUEST, NEVER, CLIENT);
  await until(async () => (await readdir(directory)).length === 0);
  assert.equal(sandbox.started, 1);
  letRelease();
  (await sandbox.next()).finish();
  await second;
});

test("a run that fails gives everything back, and its error names it", async (t) => {
  const { runner, images, directory } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  for (let count = 0; count < 3; count += 1) {
    images.failing = new BoxerError("image_not_found", "there is no such image");
    const error = await runner.submit(REQUEST, NEVER, CLIENT).catch((reason: unknown) => reason);
    assert.ok(isBoxerError("image_not_found")(error));
    assert.match((error as BoxerError).exec_id ?? "", /^boxer-/);
    await until(async () => (await readdir(directory)).length === 0);
  }
  assert.deepEqual(await readdir(directory), []);
});

test("runs that fail of one cause, such as a shared pull, are each told their own id", async (t) => {
  const { runner, images } = await runnerWith(t);
  images.failing = new BoxerError("image_pull_failed", "the registry said no");
  const seen = await Promise.all(
    [1, 2].map(() => runner.submit(REQUEST, NEVER, CLIENT).catch((error: BoxerError) => error)),
  );
  const ids = seen.map(({ exec_id }) => exec_id);
  assert.notEqual(ids[0], ids[1]);
});

test("a client that goes away stops its run, and no other", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const client = new AbortController();
  const leaving = runner.submit(REQUEST, client.signal, CLIENT);
  const running = await sandbox.next();
  const staying = runner.submit(REQUEST, NEVER, CLIENT);
  const other = await sandbox.next();
  client.abort();
  assert.equal(running.signal.aborted, true);
  assert.equal((await leaving).status, "canceled");
  assert.equal(other.signal.aborted, false);
  other.finish();
  assert.equal((await staying).status, "ok");
});

test("a client that goes away while it waits leaves the queue", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_concurrent_runs: 1, max_queued_runs: 1 });
  const first = runner.submit(REQUEST, NEVER, CLIENT);
  const running = await sandbox.next();
  const client = new AbortController();
  const waiting = runner.submit(REQUEST, client.signal, CLIENT);
  client.abort();
  await assert.rejects(waiting, isBoxerError("canceled"));
  running.finish();
  await first;
  assert.equal(sandbox.started, 1);
});

test("a client that has gone already starts nothing", async (t) => {
  const { runner, sandbox, images } = await runnerWith(t);
  await assert.rejects(runner.submit(REQUEST, AbortSignal.abort(), CLIENT), isBoxerError("canceled"));
  assert.deepEqual([sandbox.started, images.acquired], [0, 0]);
});

test("a run stopped while its image is pulled ends as canceled", async (t) => {
  const { runner, images } = await runnerWith(t);
  images.pulling = new Promise(() => {});
  const client = new AbortController();
  const running = runner.submit(REQUEST, client.signal, CLIENT);
  await until(() => images.acquired === 1);
  client.abort();
  await assert.rejects(running, isBoxerError("canceled"));
});

test("no listener stays on the client's signal once the run has gone", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const { signal, listeners } = countingSignal();
  const running = runner.submit(REQUEST, signal, CLIENT);
  (await sandbox.next()).finish();
  await running;
  await runner.drain(0);
  assert.equal(listeners(), 0);
});

/** An observer that notes what it is told. */
function noting() {
  const told: EndedRun[] = [];
  return { told, ended: (run: EndedRun) => void told.push(run) };
}

test("a run is listed with its phase, and its sandbox, from when it waits until it is answered", async (t) => {
  const { runner, sandbox, images } = await runnerWith(t, { max_concurrent_runs: 1 });
  const { promise: pulled, resolve: letPull } = Promise.withResolvers<void>();
  images.pulling = pulled;
  const first = runner.submit(REQUEST, NEVER, "ada");
  const second = runner.submit({ ...REQUEST, image: "local/other:1" }, NEVER, "bob");
  const seen = () => runner.active().map(({ client, phase, sandbox_id }) => [client, phase, sandbox_id]);
  await until(() => images.acquired === 1);
  assert.deepEqual(seen(), [
    ["ada", "preparing", null],
    ["bob", "queued", null],
  ]);
  assert.equal(runner.active()[1]?.request.image, "local/other:1");
  letPull();
  const running = await sandbox.next();
  assert.deepEqual(seen()[0], ["ada", "running", "pad-1"]);
  const listed = runner.active()[0];
  running.finish();
  assert.equal((await first).exec_id, listed?.exec_id);
  assert.deepEqual(seen().length, 1);
  (await sandbox.next()).finish();
  await second;
  assert.deepEqual(runner.active(), []);
});

test("a run can be stopped by its id, while it runs and while it waits, and only until it is answered", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_concurrent_runs: 1 });
  const first = runner.submit(REQUEST, NEVER, CLIENT);
  await sandbox.next();
  const second = runner.submit(REQUEST, NEVER, CLIENT);
  const ids = runner.active().map(({ exec_id }) => exec_id);
  assert.equal(runner.stop(ids[1] ?? ""), true);
  await assert.rejects(second, isBoxerError("canceled"));
  assert.equal(runner.stop(ids[0] ?? ""), true);
  assert.equal((await first).status, "canceled");
  assert.deepEqual(
    [...ids, "boxer-no"].map((id) => runner.stop(id)),
    [false, false, false],
  );
  assert.equal(sandbox.started, 1);
});

test("observers are told once of each run that was taken in: its result, its fault, its leaving", async (t) => {
  const { told, ended } = noting();
  const { runner, sandbox, images } = await runnerWith(t, { max_concurrent_runs: 1 }, [{ ended }]);
  const first = runner.submit(REQUEST, NEVER, "ada");
  const client = new AbortController();
  const running = await sandbox.next();
  const leaving = runner.submit(REQUEST, client.signal, "bob");
  client.abort();
  await assert.rejects(leaving, isBoxerError("canceled"));
  running.finish();
  const result = await first;
  assert.equal(told.length, 2, "before the answer");
  images.failing = new TypeError("x is not a function");
  await assert.rejects(runner.submit(REQUEST, NEVER, "ada"), isBoxerError("internal"));
  const outcomes = told.map(({ outcome }) => ("result" in outcome ? outcome.result : outcome.error));
  assert.deepEqual(
    told.map((run) => run.client),
    ["bob", "ada", "ada"],
  );
  assert.ok(isBoxerError("canceled")(outcomes[0]));
  assert.equal(outcomes[1], result);
  assert.ok(isBoxerError("internal")(outcomes[2]));
  for (const run of told) {
    assert.equal("result" in run.outcome ? run.exec_id : run.outcome.error.exec_id, run.exec_id);
    assert.ok(run.ended_at_ms >= run.submitted_at_ms);
  }
});

test("a request that is refused at once is no run: observers are not told, and nothing is listed", async (t) => {
  const { told, ended } = noting();
  const limits = { max_concurrent_runs: 1, max_queued_runs: 0 };
  const { runner, sandbox } = await runnerWith(t, limits, [{ ended }]);
  await assert.rejects(runner.submit({ ...REQUEST, env: ["B"] }, NEVER, CLIENT));
  await assert.rejects(runner.submit(REQUEST, AbortSignal.abort(), CLIENT));
  const running = runner.submit(REQUEST, NEVER, CLIENT);
  const guest = await sandbox.next();
  await assert.rejects(runner.submit(REQUEST, NEVER, CLIENT), isBoxerError("queue_full"));
  assert.deepEqual([told.length, runner.active().length], [0, 1]);
  guest.finish();
  await running;
  await runner.drain(0);
  await assert.rejects(runner.submit(REQUEST, NEVER, CLIENT), isBoxerError("draining"));
  assert.equal(told.length, 1);
});

test("an observer that throws or rejects harms neither the run nor other observers", async (t) => {
  const { told, ended } = noting();
  const throwing = {
    ended: () => {
      throw new Error("thrown");
    },
  };
  const rejecting = { ended: async () => Promise.reject(new Error("rejected")) };
  const { runner, sandbox } = await runnerWith(t, {}, [throwing, rejecting, { ended }]);
  const run = runner.submit(REQUEST, NEVER, CLIENT);
  (await sandbox.next()).finish();
  assert.equal((await run).status, "ok");
  assert.equal(told.length, 1);
});

test("the memory that a run reserves is its own limit, else the default, and 64 MB", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_reserved_memory_mb: 500 });
  assert.equal(runner.stats().reserved_memory_mb, 0);
  const first = runner.submit({ ...REQUEST, limits: { memory_mb: 100 } }, NEVER, CLIENT);
  const guest = await sandbox.next();
  assert.equal(runner.stats().reserved_memory_mb, 100 + 64);
  const second = runner.submit(REQUEST, NEVER, CLIENT);
  const other = await sandbox.next();
  assert.equal(runner.stats().reserved_memory_mb, 164 + 256 + 64);
  guest.finish();
  other.finish();
  await Promise.all([first, second]);
  await runner.drain(0);
  assert.deepEqual(runner.stats(), {
    active: 0,
    queued: 0,
    reserved_memory_mb: 0,
    max_concurrent_runs: 2,
    max_queued_runs: 2,
    max_reserved_memory_mb: 500,
  });
});

test("a run whose memory is not free waits for it though a slot is, and one that could never have it is refused", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_reserved_memory_mb: 500 });
  const first = runner.submit(REQUEST, NEVER, CLIENT);
  const guest = await sandbox.next();
  const second = runner.submit(REQUEST, NEVER, CLIENT);
  assert.deepEqual([runner.stats().active, runner.stats().queued, sandbox.started], [1, 1, 1]);
  guest.finish();
  (await sandbox.next()).finish();
  await Promise.all([first, second]);
  const error = await runner
    .submit({ ...REQUEST, limits: { memory_mb: 437 } }, NEVER, CLIENT)
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof BoxerError);
  assert.deepEqual(
    [error.code, error.field, error.message],
    ["invalid_request", "limits.memory_mb", "limits.memory_mb must be <= 436 on this server"],
  );
});
