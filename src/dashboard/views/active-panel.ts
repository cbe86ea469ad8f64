import type { RunnerStats } from "../../run/runner.ts";
import type { ActiveSandbox } from "../dashboard-data.ts";
import { commandLine, formatBytes, formatDuration, shortId, timeSince } from "../format.ts";
import { type Html, html } from "../html.ts";
import { bar } from "./charts.ts";
import { actionForm, empty, panel } from "./panel.ts";
import { phaseBadge } from "./status.ts";

const MIB = 1 << 20;
/** Rows of one panel; what is beyond is counted. */
export const MAX_ACTIVE_ROWS = 250;

/** The sandboxes that run, and the runs that wait. Pure. */
export function activePanel(view: {
  runs: readonly ActiveSandbox[];
  load: RunnerStats;
  now_ms: number;
  csrf: string;
  alert?: string | undefined;
}): Html {
  const { runs, load, now_ms, csrf, alert } = view;
  const aside = html`<span class="num">${load.active}</span> of <span class="num">${load.max_concurrent_runs}</span> sandboxes${load.queued > 0 && html` · <span class="num">${load.queued}</span> waiting`}`;
  const frame = {
    id: "active",
    topic: "active",
    title: "Active sandboxes",
    source: "/dashboard/fragments/active",
    aside,
    alert,
  } as const;
  if (runs.length === 0) {
    return panel(
      frame,
      empty(
        "Nothing runs",
        html`<a href="/dashboard/try">Run something</a>, or send a request to <code>POST /run</code>.`,
      ),
    );
  }
  const rows = runs.slice(0, MAX_ACTIVE_ROWS).map((run) => activeRow(run, now_ms, csrf));
  const hidden = runs.length - rows.length;
  return panel(
    frame,
    html`<table class="cards"><caption class="unseen">Sandboxes that run now</caption><thead><tr><th scope="col">Run</th><th scope="col">Image and command</th><th scope="col">Phase</th><th scope="col">Age and limit</th><th scope="col" class="right">CPU</th><th scope="col">Memory</th><th scope="col" class="right"><abbr title="processes and threads on the host, those of gVisor too">Tasks</abbr></th><th scope="col">Network</th><th scope="col">Client</th><th scope="col"><span class="unseen">Stop</span></th></tr></thead><tbody>${rows}</tbody></table>`,
    html`<p class="more">CPU, memory and tasks are of the whole sandbox on the host, gVisor’s own share included.</p>`,
    hidden > 0 && html`<p class="more">${hidden} more are not shown.</p>`,
  );
}

function activeRow(run: ActiveSandbox, now_ms: number, csrf: string): Html {
  const { exec_id, usage, limits } = run;
  const id = shortId(exec_id);
  const command = commandLine(run.cmd);
  return html`<tr id="run-${exec_id}"><td data-label="Run"><a class="mono" href="/dashboard/runs/${encodeURIComponent(exec_id)}" title="${exec_id}">${id}</a></td><td data-label="Image" class="what"><span class="image">${run.image}</span><code class="command" title="${command}">${command}</code></td><td data-label="Phase">${phaseBadge(run.phase)}</td><td data-label="Age" class="measure">${ageCell(run, now_ms)}</td><td data-label="CPU" class="right num">${usage?.cpu_cores == null ? absent() : `${usage.cpu_cores.toFixed(2)}`}</td><td data-label="Memory" class="measure">${memoryCell(usage?.memory_bytes ?? null, limits.memory_mb)}</td><td data-label="Tasks" class="right num">${usage?.tasks ?? absent()}</td><td data-label="Network">${run.network}</td><td data-label="Client" class="client">${run.client}</td><td class="right">${actionForm({ action: `/dashboard/runs/${encodeURIComponent(exec_id)}/stop`, panel: "active", csrf }, html`<button class="quiet danger" aria-label="Stop run ${id}">Stop</button>`)}</td></tr>`;
}

function ageCell({ submitted_at_ms, started_at_ms, limits, phase }: ActiveSandbox, now_ms: number): Html {
  const limit_ms = limits.wall_clock_secs === null ? null : 1000 * limits.wall_clock_secs;
  const since = started_at_ms ?? submitted_at_ms;
  const limit = html`<span class="limit">${limit_ms === null ? "no limit" : `of ${formatDuration(limit_ms).replace(/\.0+(?= )/, "")}`}</span>`;
  const share = limit_ms === null || phase === "queued" ? null : (now_ms - since) / limit_ms;
  return html`<span class="num">${timeSince(since, now_ms)}</span> ${limit}${share !== null && bar(share, `${Math.round(100 * share)} % of its time`)}`;
}

function memoryCell(memory_bytes: number | null, limit_mb: number | null): Html {
  const limit = html`<span class="limit">${limit_mb === null ? "no limit" : `of ${formatBytes(limit_mb * MIB)}`}</span>`;
  if (memory_bytes === null) return html`${absent()} ${limit}`;
  const share = limit_mb === null ? null : memory_bytes / (limit_mb * MIB);
  return html`<span class="num">${formatBytes(memory_bytes)}</span> ${limit}${share !== null && bar(share, `${Math.round(100 * share)} % of its memory`)}`;
}

/** A value that the host does not tell. */
function absent(): Html {
  return html`<span class="absent" title="not known on this host">–</span>`;
}
