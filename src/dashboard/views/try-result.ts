import type { RunResult } from "../../run/types.ts";
import type { BoundedOutput } from "../../sandbox/bounded-output.ts";
import { ansiToHtml } from "../ansi.ts";
import type { TryRun } from "../dashboard-data.ts";
import { formatDuration, timeSince } from "../format.ts";
import { type Html, html } from "../html.ts";
import { excerptOf } from "../try/excerpt.ts";
import { actionForm } from "./panel.ts";
import { outputList } from "./run-page.ts";
import { STATUS, statusBadge } from "./status.ts";

/** A run that was begun on the page: how it goes on, or what came of it. Pure. */
export function tryResult(run: TryRun, now_ms: number, csrf: string): Html {
  const { outcome, output } = run;
  const isOpen = outcome === null;
  if (isOpen || "error" in outcome) {
    const head = isOpen ? goingOn(run, now_ms, csrf) : fault(outcome.error);
    const streams = (["stdout", "stderr"] as const).map(
      (name) => output[name].bytes.length > 0 && stream(name, output[name], isOpen),
    );
    return frame(run, html`${head}${streams}`);
  }
  return frame(run, ended(run, outcome.result));
}

function frame(run: TryRun, content: Html): Html {
  const source = `/dashboard/fragments/try/${encodeURIComponent(run.id)}`;
  const live =
    run.outcome === null &&
    html` hx-get="${source}" hx-trigger="boxer-tries from:body" hx-swap="outerMorph" hx-target="this" hx-sync="this:queue last"`;
  return html`<section id="try-result" class="panel" aria-labelledby="try-result-title"${live}><header class="panel-head"><h2 id="try-result-title">Result</h2><div class="panel-aside">${run.outcome && "result" in run.outcome && statusBadge(run.outcome.result.status)}</div></header><p class="unseen" role="status">${stateOf(run)}</p>${content}</section>`;
}

/** For those who do not see it: told when it changes, other than the output and the time. */
function stateOf({ outcome }: TryRun): string {
  if (outcome === null) return "The run goes on";
  return "error" in outcome ? "The run failed" : `The run has ended: ${STATUS[outcome.result.status].label}`;
}

function fault({ code, message }: { code: string; message: string }): Html {
  return html`<p class="alert"><strong>${code}</strong> ${message}</p>`;
}

function goingOn({ id, started_at_ms, exec_id }: TryRun, now_ms: number, csrf: string): Html {
  return html`<div class="running"><svg class="pulse" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4"/></svg><p>Running for <span class="num">${timeSince(started_at_ms, now_ms)}</span></p>${exec_id !== null && actionForm({ action: `/dashboard/try/${encodeURIComponent(id)}/stop`, panel: "try-result", csrf }, html`<button class="quiet danger">Stop</button>`)}</div><noscript><p class="note">This page is loaded again every few seconds. <a href="/dashboard/try/${encodeURIComponent(id)}">Load it now</a></p></noscript>`;
}

function ended({ request }: TryRun, result: RunResult): Html {
  const { exec_id, exit_code, signal, wall_ms, boot_ms, warm, outputs } = result;
  const times = html`exit code <span class="num">${exit_code}</span>${signal && ` (${signal})`} · wall <span class="num">${formatDuration(wall_ms)}</span> · boot <span class="num">${formatDuration(boot_ms)}</span>${warm && ", warm"}`;
  return html`<p class="summary">${times} · <a href="/dashboard/runs/${encodeURIComponent(exec_id)}">details</a></p>${stream("stdout", { bytes: result.stdout, truncated: result.stdout_truncated })}${stream("stderr", { bytes: result.stderr, truncated: result.stderr_truncated })}${outputs.length > 0 && html`<h3>Files in /output</h3>${outputList(outputs, request.persist)}`}${result.warnings.length > 0 && html`<ul class="warnings">${result.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}`;
}

function stream(name: string, { bytes, truncated }: BoundedOutput, isOpen = false): Html | false {
  if (bytes.length === 0) return name === "stdout" && html`<p class="note">Nothing on stdout.</p>`;
  const { head, gap, tail } = excerptOf(bytes, isOpen);
  return html`<h3>${name}</h3><pre id="try-${name}" class="output" tabindex="0" aria-label="${name}"${isOpen && html` data-follow`}>${ansiToHtml(head)}${gap !== null && html`<span class="gap">… ${gap} …</span>`}${ansiToHtml(tail)}</pre>${truncated && html`<p class="note">The program wrote more than is kept.</p>`}`;
}
