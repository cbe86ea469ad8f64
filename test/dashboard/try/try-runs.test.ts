import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { TryRuns } from "../../../src/dashboard/try/try-runs.ts";
import type { ActiveRun } from "../../../src/run/run-observer.ts";
import type { RunRequest, RunResult } from "../../../src/run/types.ts";
import { RESULT } from "../../support/ended-run.ts";
import { until } from "../../support/leftovers.ts";
import { REQUEST } from "../../support/run-parts.ts";

/** A runner whose runs end when they are told to. */
function fakeRunner() {
  const ends: { resolve(result: RunResult): void; reject(error: unknown): void; signal: AbortSignal }[] = [];
  const active: ActiveRun[] = [];
  return {
    ends,
    active: () => active,
    submit(request: RunRequest, signal: AbortSignal, client: string): Promise<RunResult> {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
      ends.push({ resolve, reject, signal });
      active.push({ exec_id: `boxer-${ends.length}`, request, client, submitted_at_ms: 0, phase: "running" });
      return promise;
    },
  };
}

const isOver = (tries: TryRuns, id: string) => until(() => tries.find(id)?.outcome !== null);

test("a run is followed to its result, and its exec id is known while it goes on", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  assert.deepEqual([tries.find(id)?.exec_id, tries.find(id)?.outcome], ["boxer-1", null]);
  runner.ends[0]?.resolve(RESULT);
  await isOver(tries, id);
  assert.deepEqual(tries.find(id)?.outcome, { result: RESULT });
  assert.equal(tries.changes, 1);
});

test("a run that fails is remembered with why", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  runner.ends[0]?.reject(new BoxerError("image_not_found", "there is none"));
  await isOver(tries, id);
  assert.deepEqual(tries.find(id)?.outcome, { error: { code: "image_not_found", message: "there is none" } });
});

test("of an endless output a part is kept, and it says so", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  runner.ends[0]?.resolve({ ...RESULT, stdout: new Uint8Array(10 << 20) });
  await isOver(tries, id);
  const outcome = tries.find(id)?.outcome;
  assert.ok(outcome && "result" in outcome);
  assert.deepEqual([outcome.result.stdout.length, outcome.result.stdout_truncated], [1 << 20, true]);
});

test("a run is stopped once, and not when it is over", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  assert.equal(tries.stop(id), true);
  assert.equal(runner.ends[0]?.signal.aborted, true);
  runner.ends[0]?.resolve(RESULT);
  await isOver(tries, id);
  assert.deepEqual([tries.stop(id), tries.stop("no such")], [false, false]);
});

test("few are remembered: those that are over are forgotten first, and none that goes on", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const ids = Array.from({ length: 16 }, () => tries.start({ ...REQUEST }).id);
  assert.throws(() => tries.start({ ...REQUEST }), { code: "queue_full" });
  runner.ends[5]?.resolve(RESULT);
  await isOver(tries, ids[5] ?? "");
  tries.start({ ...REQUEST });
  assert.equal(tries.find(ids[5] ?? ""), null);
  assert.notEqual(tries.find(ids[0] ?? ""), null);
});
