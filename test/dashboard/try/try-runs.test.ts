import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { TryRuns } from "../../../src/dashboard/try/try-runs.ts";
import type { ActiveRun } from "../../../src/run/run-observer.ts";
import type { SubmitOptions } from "../../../src/run/runner.ts";
import type { RunRequest, RunResult } from "../../../src/run/types.ts";
import { RESULT } from "../../support/ended-run.ts";
import { until } from "../../support/leftovers.ts";
import { REQUEST } from "../../support/run-parts.ts";

/** A runner whose runs end when they are told to. */
function fakeRunner() {
  const ends: {
    resolve(result: RunResult): void;
    reject(error: unknown): void;
    signal: AbortSignal;
    say(stream: "stdout" | "stderr", chunk: Uint8Array): void;
  }[] = [];
  const active: ActiveRun[] = [];
  return {
    ends,
    active: () => active,
    submit(
      request: RunRequest,
      signal: AbortSignal,
      client: string,
      { onOutput: say = () => {} }: SubmitOptions = {},
    ): Promise<RunResult> {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
      ends.push({ resolve, reject, signal, say: (stream, chunk) => say(stream, chunk, chunk) });
      const exec_id = `boxer-${ends.length}`;
      const running = { phase: "running", started_at_ms: 0, sandbox_id: null } as const;
      active.push({ exec_id, request, client, submitted_at_ms: 0, ...running });
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

const bytes = (text: string) => new TextEncoder().encode(text);
const said = (tries: TryRuns, id: string) => {
  const { stdout, stderr } = tries.find(id)?.output ?? {};
  return [stdout, stderr].map((output) => Buffer.from(output?.bytes ?? []).toString());
};

test("output is there as it comes, each part is a change, and a result takes its place", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  assert.deepEqual(said(tries, id), ["", ""]);
  const chunk = bytes("one\n");
  runner.ends[0]?.say("stdout", chunk);
  chunk.fill(0);
  assert.deepEqual([said(tries, id), tries.changes], [["one\n", ""], 1]);
  runner.ends[0]?.say("stderr", bytes("two\n"));
  runner.ends[0]?.say("stdout", bytes("three\n"));
  assert.deepEqual([said(tries, id), tries.changes], [["one\nthree\n", "two\n"], 3]);
  runner.ends[0]?.resolve(RESULT);
  await isOver(tries, id);
  runner.ends[0]?.say("stdout", bytes("late"));
  assert.deepEqual([said(tries, id), tries.changes], [["", ""], 4]);
});

test("what a run has said before a fault stays to be seen", async () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  runner.ends[0]?.say("stderr", bytes("before"));
  runner.ends[0]?.reject(new Error("the host"));
  await isOver(tries, id);
  assert.deepEqual(said(tries, id), ["", "before"]);
});

test("of an endless output a part is kept while it comes, and what is dropped is no change", () => {
  const runner = fakeRunner();
  const tries = new TryRuns(runner);
  const { id } = tries.start({ ...REQUEST });
  for (let count = 0; count < 40; count += 1) runner.ends[0]?.say("stdout", new Uint8Array(64 << 10));
  const { stdout } = tries.find(id)?.output ?? {};
  assert.deepEqual([stdout?.bytes.length, stdout?.truncated, tries.changes], [1 << 20, true, 16]);
});
