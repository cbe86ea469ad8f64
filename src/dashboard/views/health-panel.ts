import type { Health } from "../dashboard-data.ts";
import { timeSince } from "../format.ts";
import { type Html, html } from "../html.ts";
import { panel } from "./panel.ts";
import { badge } from "./status.ts";

/** Whether the service is well, and what an operator has to know of it. Pure. */
export function healthPanel(health: Health, now_ms: number): Html {
  const { ready, reasons, warnings, not_enforced } = health;
  const version = (health.runsc_version ?? "not found").replace(/^runsc version /, "");
  const enforced =
    not_enforced.length === 0
      ? badge("all limits enforced", "good")
      : html`<span class="note">not enforced: ${not_enforced.join(", ")}</span>`;
  return panel(
    {
      id: "health",
      topic: "health",
      title: "Health",
      source: "/dashboard/fragments/health",
      aside: ready ? badge("ready", "good") : badge("not ready", "bad"),
    },
    reasons.map((reason) => html`<p class="alert">${reason}</p>`),
    html`<dl class="facts"><div><dt>runsc</dt><dd class="mono">${version}</dd></div><div><dt>Platform</dt><dd>${health.platform}</dd></div><div><dt>Limits by</dt><dd>${health.cgroups} ${enforced}</dd></div><div><dt>Boxer</dt><dd>${health.version}, up <span class="num">${timeSince(health.started_at_ms, now_ms)}</span></dd></div></dl>`,
    warnings.length > 0 &&
      html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`,
  );
}
