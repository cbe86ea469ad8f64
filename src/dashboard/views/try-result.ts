import type { RunResult } from "../../run/types.ts";
import { ansiToHtml } from "../ansi.ts";
import type { TryRun } from "../dashboard-data.ts";
import { formatDuration, timeSince } from "../format.ts";
import { type Html, html } from "../html.ts";
import { excerptOf } from "../try/excerpt.ts";
import { actionForm } from "./panel.ts";
import { outputList } from "./run-page.ts";
import { statusBadge } from "./status.ts";

/** A run that was begun on the page: how it goes on, or what came of it. Pure. */
export function tryResult(run: TryRun, now_ms: number, csrf: string): Html {
  const { outcome } = run;
  if (outcome === null) return frame(run, goingOn(run, now_ms, csrf));
  if ("error" in outcome) {
    return frame(
      run,
      html`<p class="alert" role="alert"><strong>${outcome.error.code}</strong> ${outcome.error.message}</p>`,
    );
  }
  return frame(run, ended(run, outcome.result));
}

function frame(run: TryRun, content: Html): Html {
  const source = `/dashboard/fragments/try/${encodeURIComponent(run.id)}`;
  const live =
    run.outcome === null &&
    html` hx-get="${source}" hx-trigger="boxer-tries from:body" hx-swap="outerMorph" hx-target="this"`;
  return html`<section id="try-result" class="panel" aria-labelledby="try-result-title" aria-live="polite"${live}><header class="panel-head"><h2 id="try-result-title">Result</h2><div class="panel-aside">${run.outcome && "result" in run.outcome && statusBadge(run.outcome.result.status)}</div></header>${content}</section>`;
}

function goingOn({ id, started_at_ms, exec_id }: TryRun, now_ms: number, csrf: string): Html {
  return html`<div class="running"><svg class="pulse" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4"/></svg><p>Running since <span class="num">${timeSince(started_at_ms, now_ms)}</span></p>${exec_id !== null && actionForm({ action: `/dashboard/try/${encodeURIComponent(id)}/stop`, panel: "try-result", csrf }, html`<button class="quiet danger">Stop</button>`)}</div>`;
}

function ended({ request }: TryRun, result: RunResult): Html {
  const { exec_id, exit_code, signal, wall_ms, boot_ms, outputs } = result;
  const times = html`exit code <span class="num">${exit_code}</span>${signal && ` (${signal})`} · wall <span class="num">${formatDuration(wall_ms)}</span> · boot <span class="num">${formatDuration(boot_ms)}</span>`;
  return html`<p class="summary">${times} · <a href="/dashboard/runs/${encodeURIComponent(exec_id)}">details</a></p>${stream("stdout", result.stdout, result.stdout_truncated)}${stream("stderr", result.stderr, result.stderr_truncated)}${outputs.length > 0 && html`<h3>Files in /output</h3>${outputList(outputs, request.persist)}`}${result.warnings.length > 0 && html`<ul class="warnings">${result.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}`;
}

function stream(name: string, bytes: Uint8Array, isCut: boolean): Html | false {
  if (bytes.length === 0) return name === "stdout" && html`<p class="note">Nothing on stdout.</p>`;
  const { head, gap, tail } = excerptOf(bytes);
  return html`<h3>${name}</h3><pre class="output" tabindex="0" aria-label="${name}">${ansiToHtml(head)}${gap !== null && html`<span class="gap">… ${gap} …</span>`}${ansiToHtml(tail)}</pre>${isCut && html`<p class="note">The program wrote more than is kept.</p>`}`;
}
