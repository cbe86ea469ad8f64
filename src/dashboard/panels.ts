import { messageOf } from "../core/errors.ts";
import { imageKey } from "../run/records/run-record.ts";
import type { Context } from "./context.ts";
import type { Topic } from "./dashboard-data.ts";
import type { Html } from "./html.ts";
import { activePanel } from "./views/active-panel.ts";
import { healthPanel } from "./views/health-panel.ts";
import { imagesPanel } from "./views/images-panel.ts";
import { failedPanel } from "./views/panel.ts";
import { resourcesPanel } from "./views/resources-panel.ts";
import { parseFilter, runsPanel, toRecordQuery } from "./views/runs-panel.ts";

const RECENT_RUNS = 12;
const PAGE_RUNS = 50;
const RECENT_IMAGES = 12;

/** Names of the panels; each is to be had alone. */
export const PANELS = ["active", "resources", "images", "runs", "health"] as const;
export type PanelName = (typeof PANELS)[number];

/** How a panel is to be shown. */
export interface PanelWish {
  /** All of it: it has the page for itself. */
  readonly isWhole?: boolean;
  readonly alert?: string | undefined;
}

/** A panel with what it shows now, the same for a page and alone. What goes wrong with it is shown in its place. */
export async function buildPanel(name: PanelName, context: Context, wish: PanelWish = {}): Promise<Html> {
  try {
    return await BUILDERS[name](context, wish);
  } catch (error) {
    return failedPanel(name, name satisfies Topic, `/dashboard/fragments/${name}`, messageOf(error));
  }
}

const BUILDERS: Readonly<Record<PanelName, (context: Context, wish: PanelWish) => Html | Promise<Html>>> = {
  active: ({ source, now_ms, auth }, { alert }) =>
    activePanel({ runs: source.activeRuns(), load: source.load(), now_ms, csrf: auth.csrf, alert }),
  resources: ({ source }) =>
    resourcesPanel({
      load: source.load(),
      host: source.host(),
      activity: source.activity(),
      images: source.images(),
      files: source.files(),
    }),
  images: ({ source, now_ms, auth }, { isWhole, alert }) =>
    imagesPanel({
      data: source.images(),
      max_rows: isWhole ? Number.POSITIVE_INFINITY : RECENT_IMAGES,
      now_ms,
      csrf: auth.csrf,
      alert,
    }),
  runs: ({ source, url, now_ms }, { isWhole = false }) => {
    const filter = parseFilter(isWhole ? url.searchParams : new URLSearchParams());
    const limit = isWhole ? PAGE_RUNS : RECENT_RUNS;
    // One more than is shown tells whether there are more.
    const found = source.records(toRecordQuery(filter, imageKey, limit + 1));
    const records = found.slice(0, limit);
    const next = found.length > limit ? (records.at(-1) ?? null) : null;
    return runsPanel({ records, filter, next, isPaged: isWhole, now_ms });
  },
  health: async ({ source, now_ms }) => healthPanel(await source.health(), now_ms),
};
