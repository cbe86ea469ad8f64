import type { NetworkUsage } from "../../run/network/open-network.ts";
import type { RunRecord } from "../../run/records/run-record.ts";
import type { ActiveSandbox } from "../dashboard-data.ts";
import { formatBytes, formatCounted, formatDuration, timeAgo, timeSince } from "../format.ts";
import { type Html, type HtmlValue, html } from "../html.ts";
import { segmentedBar } from "./charts.ts";
import { empty } from "./panel.ts";
import { phaseBadge, statusBadge } from "./status.ts";

const MIB = 1 << 20;

/** A run that has ended: what was asked for, what came of it, where its time went. Pure. */
export function runDetails(record: RunRecord, now_ms: number): Html {
  const { exec_id, result, error } = record;
  return html`<header class="page-head"><p class="crumb"><a href="/dashboard/runs">Runs</a></p><h1 class="mono">${exec_id}</h1><p>${statusBadge(record.status)} <span class="note">ended ${timeAgo(record.ended_at_ms, now_ms)}, asked for by ${record.client}</span></p></header>
${error && html`<p class="alert"><strong>${error.code}</strong> ${error.message}</p>`}
${timings(record)}
<div class="columns"><section class="panel"><header class="panel-head"><h2>Request</h2></header>${requestFacts(record)}</section>
<section class="panel"><header class="panel-head"><h2>Result</h2></header>${result ? resultFacts(record) : empty("There is no result", "The run ended before its program did.")}</section></div>
${result && result.outputs_count > 0 && outputs(record)}`;
}

/** A run that goes on still. Pure. */
export function activeDetails(run: ActiveSandbox, now_ms: number): Html {
  const { exec_id, phase, client, submitted_at_ms, limits, network } = run;
  return html`<header class="page-head"><p class="crumb"><a href="/dashboard/runs">Runs</a></p><h1 class="mono">${exec_id}</h1><p>${phaseBadge(phase)} <span class="note">for ${timeSince(submitted_at_ms, now_ms)}, asked for by ${client}; its record is here when it has ended</span></p></header>
<section class="panel"><header class="panel-head"><h2>Request</h2><div class="panel-aside"><a href="/dashboard#active">Among the active sandboxes</a></div></header><dl class="facts">${fact("Image", imageLink(run.image))}${fact("Command", list(run.cmd, false))}${fact("Limits", limitWords(limits))}${fact("Network", network)}</dl></section>`;
}

function timings({ result, submitted_at_ms, started_at_ms, ended_at_ms }: RunRecord): Html | null {
  if (!result) return null;
  const whole_ms = ended_at_ms - submitted_at_ms;
  const told_ms = (started_at_ms ?? submitted_at_ms) - submitted_at_ms + result.wall_ms;
  const phases = [
    { name: "queue", size: result.queue_ms },
    { name: "boot", size: result.boot_ms },
    { name: "run", size: result.wall_ms },
    { name: "capture", size: Math.max(0, whole_ms - told_ms) },
  ];
  const legend = phases.map(
    ({ name, size }) =>
      html`<li><span class="key key-${name}"></span>${name} <span class="num">${formatDuration(size)}</span></li>`,
  );
  const label = phases.map(({ name, size }) => `${name} ${formatDuration(size)}`).join(", ");
  return html`<section class="panel timings"><header class="panel-head"><h2>Time</h2><div class="panel-aside"><span class="num">${formatDuration(whole_ms)}</span> from request to answer</div></header>${segmentedBar(phases, label)}<ul class="legend">${legend}</ul></section>`;
}

function fact(name: string, value: HtmlValue): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function list(items: readonly string[], more: boolean): HtmlValue {
  if (items.length === 0) return html`<span class="absent">none</span>`;
  return html`<ol class="words">${items.map((item) => html`<li><code>${item}</code></li>`)}${more && html`<li class="note">and more</li>`}</ol>`;
}

/** Leads to the runs of the same image. */
function imageLink(image: string): Html {
  return html`<a class="image" href="/dashboard/runs?image=${encodeURIComponent(image)}">${image}</a>`;
}

function requestFacts(record: RunRecord): Html {
  const { limits, shortened } = record;
  return html`<dl class="facts">${fact("Image", imageLink(record.image))}${fact("Command", list(record.cmd, shortened.includes("cmd")))}${fact("Environment", record.env_names.length > 0 ? html`${list(record.env_names, shortened.includes("env_names"))}<span class="note">values are not kept</span>` : html`<span class="absent">none</span>`)}${fact("Directory", record.cwd ?? "the image’s")}${fact("User", record.user ?? "65534:65534")}${fact("Files", list(record.files, shortened.includes("files")))}${fact("Limits", limitWords(limits))}${record.network !== undefined && fact("Network", record.network)}${fact("Kept", record.persist ? "files and outputs" : "nothing after the answer")}</dl>`;
}

/** The limits that were in force, in one line. */
function limitWords({
  cpu_cores,
  memory_mb,
  wall_clock_secs,
  pids_limit,
  nofile,
}: RunRecord["limits"]): Html {
  const words = [
    cpu_cores === null ? "unlimited cores" : formatCounted(cpu_cores, "core"),
    memory_mb === null ? "unlimited memory" : `${memory_mb}\u00a0MB`,
    wall_clock_secs === null ? "unlimited time" : `${wall_clock_secs}\u00a0s`,
    pids_limit === null ? "unlimited processes" : formatCounted(pids_limit, "process", "processes"),
    nofile === null ? "unlimited open files" : formatCounted(nofile, "open file"),
  ];
  return html`${words.join(" · ")}`;
}

function resultFacts(record: RunRecord): Html | null {
  const { result } = record;
  if (!result) return null;
  const { cpu_ms, peak_memory_bytes } = result;
  const limit_mb = record.limits.memory_mb;
  const stream = (bytes: number, isCut: boolean) =>
    html`<span class="num">${formatBytes(bytes)}</span>${isCut && " and more, cut"}`;
  const absent = html`<span class="absent" title="not known on this host">–</span>`;
  return html`<dl class="facts">${fact("Exit code", html`<span class="num">${result.exit_code}</span>${result.signal && ` (${result.signal})`}`)}${fact("Sandbox", result.warm ? "booted before the request came" : "booted for this run")}${fact("CPU", cpu_ms ? html`<span class="num">${formatDuration(cpu_ms.user + cpu_ms.system)}</span> (<span class="num">${formatDuration(cpu_ms.system)}</span> in the kernel)` : absent)}${fact("Peak memory", peak_memory_bytes === null ? absent : html`<span class="num">${formatBytes(peak_memory_bytes)}</span>${limit_mb !== null && ` of ${formatBytes(limit_mb * MIB)}`}`)}${fact("stdout", stream(result.stdout_bytes, result.stdout_truncated))}${fact("stderr", stream(result.stderr_bytes, result.stderr_truncated))}${fact("Image digest", html`<code class="digest">${result.image_digest}</code>`)}${result.network_usage && fact("Network", networkWords(result.network_usage))}${result.warnings.length > 0 && fact("Warnings", html`<ul class="warnings">${result.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`)}</dl>`;
}

/** What a run did with its network, in one line. */
function networkWords(usage: NetworkUsage): Html {
  const { allowed_connections, refused_connections, bytes_in, bytes_out, dns_allowed, dns_refused } = usage;
  const words = [
    `${formatCounted(allowed_connections, "connection")}, ${refused_connections} refused`,
    `${formatBytes(bytes_in)} in, ${formatBytes(bytes_out)} out`,
    ...(dns_allowed === null
      ? []
      : [`${formatCounted(dns_allowed, "look-up")}, ${dns_refused ?? 0} refused`]),
  ];
  return html`<span class="num">${words.join(" · ")}</span>`;
}

function outputs({ result, persist }: RunRecord): Html | null {
  if (!result) return null;
  const hidden = result.outputs_count - result.outputs.length;
  return html`<section class="panel"><header class="panel-head"><h2>Files in /output</h2><div class="panel-aside"><span class="num">${formatCounted(result.outputs_count, "file")}</span>${!persist && ", not kept (persist was false)"}</div></header>${outputList(result.outputs, persist)}${hidden > 0 && html`<p class="more">${hidden} more are not shown.</p>`}</section>`;
}

/** Files of a run, by their paths in /output; to download where they are kept. */
export function outputList(files: readonly { path: string; size_bytes: number }[], isKept: boolean): Html {
  return html`<ul class="files">${files.map(({ path, size_bytes }) => html`<li>${isKept ? html`<a href="/files?path=${encodeURIComponent(path)}" download>${inOutput(path)}</a>` : html`<span>${inOutput(path)}</span>`} <span class="num note">${formatBytes(size_bytes)}</span></li>`)}</ul>`;
}

/** A kept file's path without the `output/{exec_id}/` that all of its run's have. */
function inOutput(path: string): string {
  return path.replace(/^output\/[^/]+\//, "");
}
