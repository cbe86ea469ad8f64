import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Elysia } from "elysia";
import { silentLog } from "../../src/core/log.ts";
import { compileSchema } from "../../src/core/schema.ts";
import { errorPlugin } from "../../src/http/errors.ts";
import { runsRoutes } from "../../src/http/runs.ts";
import { RunsResponse, RunView } from "../../src/http/runs-model.ts";
import { RunRecords } from "../../src/run/records/run-records.ts";
import type { ActiveRun, EndedRun } from "../../src/run/run-observer.ts";
import { endedRun, execId, failedRun } from "../support/ended-run.ts";
import { platform } from "../support/platform.ts";
import { REQUEST } from "../support/run-parts.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const DEFAULTS = { cpu_cores: 1, memory_mb: 256, wall_clock_secs: 30, pids_limit: 64, nofile: 256 };

/** The routes, with runs under way and runs that have ended. */
async function routes(t: TestContext, runs: { active?: ActiveRun[]; ended?: EndedRun[] }) {
  const config = { defaults: DEFAULTS, run_records_max: 1000, run_records_days: 7 };
  const path = `${await tempDirectory(t)}/records.sqlite`;
  const records = new RunRecords({ platform, path, config, log: silentLog });
  t.after(() => records.close());
  for (const run of runs.ended ?? []) records.ended(run);
  const stopped: string[] = [];
  const runner = {
    active: () => runs.active ?? [],
    stop: (id: string) => {
      const isActive = runner.active().some(({ exec_id }) => exec_id === id);
      if (isActive) stopped.push(id);
      return isActive;
    },
  };
  const app = new Elysia()
    .use(errorPlugin(silentLog))
    .use(runsRoutes({ runner, records, defaults: DEFAULTS }));
  async function ask(target: string, method = "GET") {
    const response = await app.handle(new Request(`http://localhost${target}`, { method }));
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at what came over the wire
    return { status: response.status, body: (await response.json()) as any };
  }
  return { ask, stopped, records };
}

/** A run under way, submitted later than all that have ended. */
function activeRun(number: number, phase: ActiveRun["phase"] = "running", image = REQUEST.image): ActiveRun {
  const { exec_id, client, submitted_at_ms } = endedRun(number);
  const request = { ...REQUEST, image };
  return { exec_id, client, submitted_at_ms, phase, started_at_ms: null, sandbox_id: null, request };
}

const idsOf = (body: { runs: { exec_id: string }[] }) => body.runs.map(({ exec_id }) => exec_id);

describe("GET /runs", () => {
  test("has runs under way and ended, newest first, as its schema says", async (t) => {
    const { ask } = await routes(t, {
      active: [activeRun(9, "queued"), activeRun(2, "capturing")],
      ended: [endedRun(1), failedRun(5, "sandbox_crashed", "boom")],
    });
    const { status, body } = await ask("/runs");
    assert.equal(status, 200);
    assert.equal(compileSchema(RunsResponse).complain(body), null);
    assert.deepEqual(
      body.runs.map((run: Record<string, unknown>) => [run.exec_id, run.state, run.status]),
      [
        [execId(9), "queued", null],
        [execId(5), "ended", "sandbox_error"],
        [execId(2), "capturing", null],
        [execId(1), "ended", "ok"],
      ],
    );
    assert.deepEqual(body.runs[1].error, { code: "sandbox_crashed", message: "boom" });
    assert.equal(body.next, null);
  });

  test("comes in pages that miss none and repeat none", async (t) => {
    const ended = [1, 3, 5, 7, 8].map((number) => endedRun(number));
    const { ask } = await routes(t, { active: [activeRun(6), activeRun(2)], ended });
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await ask(`/runs?limit=3${cursor}`);
      seen.push(...idsOf(body));
      if (body.next === null) break;
      cursor = `&before=${body.next}`;
    }
    assert.deepEqual(seen, [8, 7, 6, 5, 3, 2, 1].map(execId));
  });

  test("says that there are no more when the last page is full", async (t) => {
    const { ask } = await routes(t, { ended: [endedRun(1), endedRun(2)] });
    assert.equal((await ask("/runs?limit=2")).body.next, null);
  });

  test("can be of one status, which no run under way has, or of one image", async (t) => {
    const { ask } = await routes(t, {
      active: [activeRun(4), activeRun(5, "running", "python")],
      ended: [endedRun(1), endedRun(2, { request: { ...REQUEST, image: "python:latest" } })],
    });
    assert.deepEqual(idsOf((await ask("/runs?status=ok")).body), [2, 1].map(execId));
    assert.deepEqual(idsOf((await ask("/runs?image=docker.io/library/python")).body), [5, 2].map(execId));
    assert.deepEqual(idsOf((await ask("/runs?image=python&status=ok")).body), [execId(2)]);
  });

  test("refuses a bad query", async (t) => {
    const { ask } = await routes(t, {});
    const { status, body } = await ask("/runs?limit=0");
    assert.deepEqual([status, body.code, body.field], [400, "invalid_request", "limit"]);
  });
});

describe("GET /runs/{exec_id}", () => {
  test("shows a run under way, and one that has ended, as its schema says", async (t) => {
    const { ask } = await routes(t, { active: [activeRun(2, "preparing")], ended: [endedRun(1)] });
    const checker = compileSchema(RunView);
    for (const [number, state] of [
      [2, "preparing"],
      [1, "ended"],
    ] as const) {
      const { status, body } = await ask(`/runs/${execId(number)}`);
      assert.deepEqual([status, body.exec_id, body.state], [200, execId(number), state]);
      assert.equal(checker.complain(body), null);
    }
  });

  test("answers 404 for a run that is not known, and 400 for what is no id", async (t) => {
    const { ask } = await routes(t, {});
    const missing = await ask(`/runs/${execId(1)}`);
    assert.deepEqual([missing.status, missing.body.code], [404, "run_not_found"]);
    for (const id of ["x", "boxer-1", "..%2f..%2fetc", "%00", execId(1).toUpperCase()]) {
      const { status, body } = await ask(`/runs/${id}`);
      assert.deepEqual([status, body.code, body.field], [400, "invalid_request", "exec_id"], id);
    }
  });
});

describe("DELETE /runs/{exec_id}", () => {
  for (const phase of ["queued", "preparing", "running", "capturing"] as const) {
    test(`stops a run that is ${phase}`, async (t) => {
      const { ask, stopped } = await routes(t, { active: [activeRun(1, phase), activeRun(2)] });
      const { status, body } = await ask(`/runs/${execId(1)}`, "DELETE");
      assert.deepEqual([status, body.exec_id, body.state], [202, execId(1), phase]);
      assert.deepEqual(stopped, [execId(1)]);
    });
  }

  test("answers 409 for a run that has ended, 404 for one that is not known, 400 for what is no id", async (t) => {
    const { ask, stopped } = await routes(t, { ended: [endedRun(1)] });
    const codes: unknown[] = [];
    for (const id of [execId(1), execId(2), "x"]) {
      const { status, body } = await ask(`/runs/${id}`, "DELETE");
      codes.push([status, body.code]);
    }
    assert.deepEqual(codes, [
      [409, "run_ended"],
      [404, "run_not_found"],
      [400, "invalid_request"],
    ]);
    assert.deepEqual(stopped, []);
  });
});
