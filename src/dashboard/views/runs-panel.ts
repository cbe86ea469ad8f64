import type { RecordPosition, RecordQuery } from "../../run/records/record-file.ts";
import type { RunRecord } from "../../run/records/run-record.ts";
import { commandLine, formatBytes, formatDuration, shortId, timeAgo } from "../format.ts";
import { type Html, html } from "../html.ts";
import { empty, panel } from "./panel.ts";
import { isStatus, STATUS, statusBadge } from "./status.ts";

/** What the filter of the runs holds, as its form has it. */
export interface RunsFilter {
  readonly status: string;
  readonly image: string;
  /** Cursor; empty for the newest. */
  readonly before: string;
}

/** What the runs panel shows. */
export interface RunsView {
  readonly records: readonly RunRecord[];
  readonly filter: RunsFilter;
  /** Position of the last record where there are more, or null. */
  readonly next: RecordPosition | null;
  /** On the page of the runs alone: with pages, and not live beyond the first. */
  readonly isPaged: boolean;
  readonly now_ms: number;
}

/** The filter in a query string. Values that are not given leave nothing. Pure. */
export function runsQuery(filter: Partial<RunsFilter>): string {
  const entries = Object.entries(filter).filter(([, value]) => value !== "" && value !== undefined);
  const query = new URLSearchParams(entries as [string, string][]).toString();
  return query === "" ? "" : `?${query}`;
}

/** A cursor's text: it stands for the same place, whatever comes and goes before it. Pure. */
export function formatCursor({ submitted_at_ms, exec_id }: RecordPosition): string {
  return `${submitted_at_ms}.${exec_id}`;
}

/** Reads the filter of a request; what makes no sense is left out. Pure. */
export function parseFilter(parameters: URLSearchParams): RunsFilter {
  const status = parameters.get("status") ?? "";
  const before = parameters.get("before") ?? "";
  return {
    status: isStatus(status) ? status : "",
    image: (parameters.get("image") ?? "").trim().slice(0, 1024),
    before: parseCursor(before) ? before : "",
  };
}

/** The query of the records that a filter means. Pure. */
export function toRecordQuery(
  filter: RunsFilter,
  imageKey: (image: string) => string,
  limit: number,
): RecordQuery {
  const before = parseCursor(filter.before);
  return {
    limit,
    ...(isStatus(filter.status) && { status: filter.status }),
    ...(filter.image && { image: imageKey(filter.image) }),
    ...(before && { before }),
  };
}

function parseCursor(text: string): RecordPosition | null {
  const [, time, exec_id] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(text) ?? [];
  return time && exec_id ? { submitted_at_ms: Number(time), exec_id } : null;
}

/** The runs that have ended, newest first. Pure. */
export function runsPanel({ records, filter, next, isPaged, now_ms }: RunsView): Html {
  const isLive = filter.before === "";
  const source = `/dashboard/fragments/runs${runsQuery({ ...filter, ...(isPaged && { paged: "1" }) } as RunsFilter)}`;
  return panel(
    {
      id: "runs",
      topic: "runs",
      title: isPaged ? "Runs" : "Recent runs",
      source: isLive ? source : null,
      aside: isPaged ? null : html`<a href="/dashboard/runs">All runs</a>`,
    },
    filterForm(filter),
    records.length === 0 ? nothing(filter) : runsTable(records, now_ms),
    isPaged && pager(filter, next),
  );
}

function filterForm({ status, image }: RunsFilter): Html {
  const options = Object.entries(STATUS).map(
    ([value, { label }]) =>
      html`<option value="${value}"${value === status && html` selected`}>${label}</option>`,
  );
  return html`<form class="toolbar" method="get" action="/dashboard/runs"><label for="filter-status">Status</label><select id="filter-status" name="status"><option value="">any</option>${options}</select><label for="filter-image">Image</label><input id="filter-image" class="grow" name="image" value="${image}" placeholder="any" autocomplete="off" spellcheck="false" autocapitalize="none"><button>Filter</button>${(status || image) && html`<a class="button quiet" href="/dashboard/runs">Clear</a>`}</form>`;
}

function nothing({ status, image, before }: RunsFilter): Html {
  if (status || image || before)
    return empty("No run fits", "Records go by age and number; widen the filter.");
  return empty(
    "No run has ended yet",
    html`Runs show here when they end. <a href="/dashboard/try">Run something</a>.`,
  );
}

function runsTable(records: readonly RunRecord[], now_ms: number): Html {
  return html`<table class="cards"><caption class="unseen">Runs that have ended</caption><thead><tr><th scope="col">Run</th><th scope="col">Image and command</th><th scope="col">Status</th><th scope="col" class="right">Exit</th><th scope="col" class="right">Wall</th><th scope="col" class="right">Boot</th><th scope="col" class="right">Peak memory</th><th scope="col">Client</th><th scope="col" class="right">Ended</th></tr></thead><tbody>${records.map((record) => runRow(record, now_ms))}</tbody></table>`;
}

function runRow(record: RunRecord, now_ms: number): Html {
  const { exec_id, result } = record;
  const command = commandLine(record.cmd);
  const value = (text: string | number | undefined) => text ?? html`<span class="absent">–</span>`;
  const peak = result?.peak_memory_bytes;
  return html`<tr id="record-${exec_id}"><td data-label="Run"><a class="mono" href="/dashboard/runs/${encodeURIComponent(exec_id)}" title="${exec_id}">${shortId(exec_id)}</a></td><td data-label="Image" class="what"><span class="image">${record.image}</span><code class="command" title="${command}">${command}</code></td><td data-label="Status">${statusBadge(record.status)}</td><td data-label="Exit" class="right num">${value(result?.exit_code)}</td><td data-label="Wall" class="right num">${value(result ? formatDuration(result.wall_ms) : undefined)}</td><td data-label="Boot" class="right num">${value(result ? formatDuration(result.boot_ms) : undefined)}</td><td data-label="Peak memory" class="right num">${value(peak == null ? undefined : formatBytes(peak))}</td><td data-label="Client" class="client">${record.client}</td><td data-label="Ended" class="right">${timeAgo(record.ended_at_ms, now_ms)}</td></tr>`;
}

function pager(filter: RunsFilter, next: RecordPosition | null): Html | null {
  const first =
    filter.before &&
    html`<a class="button quiet" href="/dashboard/runs${runsQuery({ ...filter, before: "" })}">Newest</a>`;
  const older =
    next &&
    html`<a class="button quiet" rel="next" href="/dashboard/runs${runsQuery({ ...filter, before: formatCursor(next) })}">Older runs</a>`;
  return first || older ? html`<nav class="pager" aria-label="Pages of runs">${first}${older}</nav>` : null;
}
