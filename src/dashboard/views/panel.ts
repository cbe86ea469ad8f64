import type { Topic } from "../dashboard-data.ts";
import { type Html, type HtmlValue, html } from "../html.ts";

/** A part of the page that fetches itself again when its topic changes. */
export interface PanelOptions {
  /** Its id on the page. */
  readonly id: string;
  readonly topic: Topic;
  readonly title: string;
  /** Where it is to be had alone; null: it does not change by itself. */
  readonly source: string | null;
  /** Beside the title. */
  readonly aside?: HtmlValue;
  /** What went wrong with what was asked for last. */
  readonly alert?: string | undefined;
}

/** Frames what a panel shows. */
export function panel(options: PanelOptions, ...content: readonly HtmlValue[]): Html {
  const { id, topic, title, source, aside, alert } = options;
  const live =
    source === null
      ? null
      : html` hx-get="${source}" hx-trigger="boxer-${topic} from:body" hx-swap="outerMorph" hx-target="this" hx-sync="this:queue last"`;
  return html`<section id="${id}" class="panel panel-${topic}" aria-labelledby="${id}-title"${live}>
<header class="panel-head"><h2 id="${id}-title">${title}</h2><div class="panel-aside">${aside}</div></header>
${alert && html`<p class="alert" role="alert">${alert}</p>`}${content}</section>`;
}

/** A panel that could not be filled; it tries again with the next signal. */
export function failedPanel(id: string, topic: Topic, source: string | null, reason: string): Html {
  return panel(
    { id, topic, title: id[0]?.toUpperCase() + id.slice(1), source, alert: `Cannot show this: ${reason}` },
    html`<p class="empty">It is tried again with the next change.</p>`,
  );
}

/** What a panel says that has nothing to show. */
export function empty(title: string, hint: HtmlValue): Html {
  return html`<div class="empty"><p class="empty-title">${title}</p><p>${hint}</p></div>`;
}

/** A form that changes something. Without JavaScript it posts and comes back; with it, only its panel is replaced. */
export function actionForm(
  options: { action: string; panel: string; csrf: string; confirm?: string; className?: string },
  ...content: readonly HtmlValue[]
): Html {
  const { action, panel: id, csrf, confirm, className = "inline" } = options;
  return html`<form class="${className}" method="post" action="${action}" hx-post="${action}" hx-target="#${id}" hx-swap="outerMorph"${confirm && html` hx-confirm="${confirm}"`}><input type="hidden" name="csrf" value="${csrf}">${content}</form>`;
}
