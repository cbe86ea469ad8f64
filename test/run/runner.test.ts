import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { Runner } from "../../src/run/runner.ts";
import { until } from "../support/leftovers.ts";
import { fakeParts, REQUEST } from "../support/run-parts.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const NEVER = new AbortController().signal;
const isBoxerError = (code: string) => (error: unknown) => error instanceof BoxerError && error.code === code;

/** A runner with parts that the test steers. */
async function runnerWith(t: TestContext, limits = { max_active: 2, max_waiting: 2 }) {
  const directory = await tempDirectory(t);
  const parts = fakeParts(directory);
  const runner = new Runner(parts.parts, limits, silentLog);
  return { ...parts, runner, directory };
}

test("a run has an id of its own, and its answer is what the guest said", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const results = [runner.submit(REQUEST, NEVER), runner.submit(REQUEST, NEVER)];
  for (let count = 0; count < 2; count += 1) (await sandbox.next()).finish({ code: 0 }, "hello");
  const [first, second] = await Promise.all(results);
  assert.match(first?.exec_id ?? "", /^boxer-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.notEqual(first?.exec_id, second?.exec_id);
  assert.deepEqual([first?.status, Buffer.from(first?.stdout ?? []).toString()], ["ok", "hello"]);
});

test("a request that is wrong is refused before anything is acquired", async (t) => {
  const { runner, images } = await runnerWith(t);
  await assert.rejects(runner.submit({ ...REQUEST, env: ["B"] }, NEVER), isBoxerError("invalid_request"));
  await assert.rejects(runner.submit({ ...REQUEST, files: ["../x"] }, NEVER), isBoxerError("invalid_path"));
  assert.equal(images.acquired, 0);
});

test("more runs than slots wait for one, and more than may wait are refused at once", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_active: 1, max_waiting: 1 });
  const first = runner.submit(REQUEST, NEVER);
  const running = await sandbox.next();
  const second = runner.submit(REQUEST, NEVER);
  await assert.rejects(runner.submit(REQUEST, NEVER), isBoxerError("queue_full"));
  assert.equal(sandbox.started, 1);
  running.finish();
  await first;
  (await sandbox.next()).finish();
  assert.equal((await second).status, "ok");
});

test("a slot is free again only when all that the run held has been given back", async (t) => {
  const { runner, sandbox, images, directory } = await runnerWith(t, { max_active: 1, max_waiting: 1 });
  const { promise: mayRelease, resolve: letRelease } = Promise.withResolvers<void>();
  images.releasing = mayRelease;
  const first = runner.submit(REQUEST, NEVER);
  (await sandbox.next()).finish();
  assert.equal((await first).status, "ok", "the answer does not wait for that");
  const second = runner.submit(REQUEST, NEVER);
  await until(async () => (await readdir(directory)).length === 0);
  assert.equal(sandbox.started, 1);
  letRelease();
  (await sandbox.next()).finish();
  await second;
});

test("a run that fails gives everything back, and its error names it", async (t) => {
  const { runner, images, directory } = await runnerWith(t, { max_active: 1, max_waiting: 1 });
  for (let count = 0; count < 3; count += 1) {
    images.failing = new BoxerError("image_not_found", "there is no such image");
    const error = await runner.submit(REQUEST, NEVER).catch((reason: unknown) => reason);
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
    [1, 2].map(() => runner.submit(REQUEST, NEVER).catch((error: BoxerError) => error)),
  );
  const ids = seen.map(({ exec_id }) => exec_id);
  assert.notEqual(ids[0], ids[1]);
});

test("a client that goes away stops its run, and no other", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const client = new AbortController();
  const leaving = runner.submit(REQUEST, client.signal);
  const running = await sandbox.next();
  const staying = runner.submit(REQUEST, NEVER);
  const other = await sandbox.next();
  client.abort();
  assert.equal(running.signal.aborted, true);
  assert.equal((await leaving).status, "canceled");
  assert.equal(other.signal.aborted, false);
  other.finish();
  assert.equal((await staying).status, "ok");
});

test("a client that goes away while it waits leaves the queue", async (t) => {
  const { runner, sandbox } = await runnerWith(t, { max_active: 1, max_waiting: 1 });
  const first = runner.submit(REQUEST, NEVER);
  const running = await sandbox.next();
  const client = new AbortController();
  const waiting = runner.submit(REQUEST, client.signal);
  client.abort();
  await assert.rejects(waiting, isBoxerError("canceled"));
  running.finish();
  await first;
  assert.equal(sandbox.started, 1);
});

test("a client that has gone already starts nothing", async (t) => {
  const { runner, sandbox, images } = await runnerWith(t);
  await assert.rejects(runner.submit(REQUEST, AbortSignal.abort()), isBoxerError("canceled"));
  assert.deepEqual([sandbox.started, images.acquired], [0, 0]);
});

test("a run stopped while its image is pulled ends as canceled", async (t) => {
  const { runner, images } = await runnerWith(t);
  images.pulling = new Promise(() => {});
  const client = new AbortController();
  const running = runner.submit(REQUEST, client.signal);
  await until(() => images.acquired === 1);
  client.abort();
  await assert.rejects(running, isBoxerError("canceled"));
});

test("no listener stays on the client's signal once the run has gone", async (t) => {
  const { runner, sandbox } = await runnerWith(t);
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listening.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening.delete(args[1]);
    remove(...args);
  };
  const running = runner.submit(REQUEST, signal);
  (await sandbox.next()).finish();
  await running;
  await runner.drain(0);
  assert.equal(listening.size, 0);
});
