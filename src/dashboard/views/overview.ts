import { type Html, html } from "../html.ts";

/** The page that an operator looks at. Pure. */
export function overview(panels: {
  active: Html;
  resources: Html;
  images: Html;
  runs: Html;
  health: Html;
}): Html {
  return html`<h1 class="unseen">Overview</h1><div class="split">${panels.resources}${panels.health}</div>${panels.active}${panels.runs}${panels.images}`;
}
