import { Elysia } from "elysia";
import type { Config } from "../config/config.ts";
import { BoxerError } from "../core/errors.ts";
import type { RecordPosition, RecordQuery } from "../run/records/record-file.ts";
import { imageKey } from "../run/records/run-record.ts";
import { compareRuns, type RunRecords } from "../run/records/run-records.ts";
import type { ActiveRun } from "../run/run-observer.ts";
import type { Runner } from "../run/runner.ts";
import { listRunsDetail, runStateDetail, stopRunDetail } from "./runs-detail.ts";
import { activeView, recordView } from "./runs-model.ts";
import { cursorOf, parseExecId, parseRunsQuery } from "./runs-query.ts";

/** What the routes of runs stand on. */
export interface RunsParts {
  readonly runner: Pick<Runner, "active" | "stop">;
  readonly records: Pick<RunRecords, "find" | "list">;
  readonly defaults: Config["defaults"];
}

/** `GET /runs`, `GET /runs/{exec_id}`, `DELETE /runs/{exec_id}`. */
export function runsRoutes(parts: RunsParts) {
  return new Elysia({ name: "runs" })
    .get("/runs", async ({ request }) => listRuns(parts, parseRunsQuery(request.url)), {
      detail: listRunsDetail,
    })
    .get("/runs/:exec_id", async ({ params }) => viewOf(parts, parseExecId(params.exec_id)), {
      detail: runStateDetail,
    })
    .delete("/runs/:exec_id", async ({ params }) => stopRun(parts, parseExecId(params.exec_id)), {
      detail: stopRunDetail,
    });
}

/** A run keeps its place when it ends, and is told of once: nothing happens between the two looks. */
function listRuns(parts: RunsParts, query: RecordQuery) {
  const more = { ...query, limit: query.limit + 1 };
  const ended = parts.records.list(more).map((run) => ({ run, view: () => recordView(run) }));
  const active = activeRuns(parts, query).map((run) => ({
    run,
    view: () => activeView(run, parts.defaults),
  }));
  const found = [...active, ...ended].sort((a, b) => compareRuns(a.run, b.run));
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    runs: page.map(({ view }) => view()),
    next: last && found.length > page.length ? cursorOf(last.run) : null,
  };
}

function activeRuns({ runner }: RunsParts, { status, image, before }: RecordQuery): ActiveRun[] {
  if (status !== undefined) return [];
  const fits = (run: ActiveRun & RecordPosition) =>
    (image === undefined || imageKey(run.request.image) === image) &&
    (before === undefined || compareRuns(before, run) < 0);
  return runner.active().filter(fits);
}

function viewOf({ runner, records, defaults }: RunsParts, exec_id: string) {
  const active = runner.active().find((run) => run.exec_id === exec_id);
  if (active) return activeView(active, defaults);
  const record = records.find(exec_id);
  if (record) return recordView(record);
  throw new BoxerError("run_not_found", `There is no run ${exec_id}`, { field: "exec_id" });
}

/** Its own client gets the answer of a run that was canceled. */
function stopRun(parts: RunsParts, exec_id: string): Response {
  const view = viewOf(parts, exec_id);
  if (!parts.runner.stop(exec_id)) throw new BoxerError("run_ended", `The run ${exec_id} has ended`);
  return Response.json(view, { status: 202 });
}
