import { escapeMarkup, type Html, type HtmlValue, html, raw } from "../html.ts";
import type { TryForm } from "../try/try-form.ts";

/** What the form is filled with, and what it offers. */
export interface TryView {
  readonly form: TryForm;
  /** References of images that are here, offered while typing. */
  readonly images: readonly string[];
  readonly csrf: string;
  /** What was wrong with what was sent. */
  readonly alert?: string | undefined;
  /** The `curl` of the request, or null for one that cannot be read. */
  readonly curl: string | null;
  /** The run that was begun, or null. */
  readonly result: Html | null;
}

/** The form that runs something, with its result beside it. Pure. */
export function tryPage({ form, images, csrf, alert, curl, result }: TryView): Html {
  return html`<header class="page-head"><h1>Try it</h1><p class="note">Runs in a fresh sandbox, as <code>POST /run</code> does.</p></header>
<div class="columns try"><form id="try-form" class="panel try-form" method="post" action="/dashboard/try" enctype="multipart/form-data" hx-post="/dashboard/try" hx-encoding="multipart/form-data" hx-target="#try-result" hx-swap="outerHTML"><input type="hidden" name="csrf" value="${csrf}">${alert && html`<p class="alert" role="alert">${alert}</p>`}
${field("Image", "image", html`<input id="try-image" name="image" list="try-images" required value="${form.image}" ${PLAIN}><datalist id="try-images">${images.map((image) => html`<option value="${image}"></option>`)}</datalist>`)}
${field("Command", "command", html`<input id="try-command" class="code" name="command" required value="${form.command}" ${PLAIN}>`, "Words as in a shell, quotes included; no shell is involved unless you name one.")}
${field("Code", "code", textarea("code", form.code, 14))}
${field("appears read-only at", "path", html`<span class="prefix">/</span><input id="try-path" class="code" name="path" value="${form.path}" ${PLAIN}>`)}
<fieldset class="row"><legend>Limits and network</legend>${number("CPU cores", "cpu_cores", form.cpu_cores, "0.1")}${number("Memory, MB", "memory_mb", form.memory_mb, "1")}${number("Seconds", "wall_clock_secs", form.wall_clock_secs, "any")}${number("Processes", "pids_limit", form.pids_limit, "1")}${network(form.network)}</fieldset>
<details${(form.env || form.stdin || form.files || form.persist) && html` open`}><summary>Environment, input, more files</summary>${field("Environment", "env", textarea("env", form.env, 3), "One NAME=value a line.")}${field("Standard input", "stdin", textarea("stdin", form.stdin, 3))}${field("Files to send", "uploads", html`<input id="try-uploads" type="file" name="uploads" multiple>`, html`Each appears at <code>/work/NAME</code>.`)}${field("Uploaded files", "files", textarea("files", form.files, 2), html`Paths of <code>POST /files</code>, one a line.`)}<label class="check"><input type="checkbox" name="persist" value="1"${form.persist !== "" && html` checked`}> Keep input files and outputs after the run</label></details>
<div class="actions"><button class="primary">Run</button><button class="quiet" formaction="/dashboard/try/curl" formnovalidate hx-post="/dashboard/try/curl" hx-target="#try-curl" hx-swap="outerHTML" hx-include="closest form">Show as curl</button></div></form>
<div class="try-side">${result ?? emptyResult()}${curlPanel(curl)}</div></div>`;
}

/** Where the result of a run will be. Pure. */
export function emptyResult(alert?: string): Html {
  return html`<section id="try-result" class="panel" aria-labelledby="try-result-title"><header class="panel-head"><h2 id="try-result-title">Result</h2></header>${alert ? html`<p class="alert" role="alert">${alert}</p>` : html`<div class="empty"><p class="empty-title">Nothing was run yet</p><p>The output shows here.</p></div>`}</section>`;
}

/** The request as a command to copy. Pure. */
export function curlPanel(curl: string | null, alert?: string): Html {
  return html`<section id="try-curl" class="panel" aria-labelledby="try-curl-title"><header class="panel-head"><h2 id="try-curl-title">As curl</h2><div class="panel-aside">${curl !== null && html`<button type="button" class="quiet" data-copy="curl-text" hidden>Copy</button>`}</div></header>${curl === null ? html`<p class="alert">${alert ?? "The request cannot be read yet."}</p>` : html`<pre id="curl-text" class="output code" tabindex="0">${raw(escapeMarkup(curl))}</pre>`}</section>`;
}

/** No help of browsers: these are not words of a language. */
const PLAIN = raw('autocomplete="off" spellcheck="false" autocapitalize="none"');

function field(label: string, name: string, control: HtmlValue, hint?: HtmlValue): Html {
  return html`<div class="field field-${name}"><label for="try-${name}">${label}</label><div class="control">${control}</div>${hint && html`<p class="hint">${hint}</p>`}</div>`;
}

/** A line feed after the tag is not part of the text (HTML, 13.1.2). */
function textarea(name: string, value: string, rows: number): Html {
  return html`<textarea id="try-${name}" class="code" name="${name}" rows="${rows}" ${PLAIN}>${raw(`\n${escapeMarkup(value)}`)}</textarea>`;
}

function number(label: string, name: string, value: string, step: string): Html {
  return html`<div class="field"><label for="try-${name}">${label}</label><input id="try-${name}" class="num" name="${name}" type="number" min="0" step="${step}" value="${value}" placeholder="default" inputmode="decimal"></div>`;
}

function network(chosen: string): Html {
  const options = ["none", "sandbox", "host"].map(
    (value) => html`<option${value === chosen && html` selected`}>${value}</option>`,
  );
  return html`<div class="field"><label for="try-network">Network</label><select id="try-network" name="network">${options}</select></div>`;
}
