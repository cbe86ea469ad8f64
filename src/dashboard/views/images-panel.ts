import { downloadTotals, type PullStatus } from "../../image/progress/pull-status.ts";
import type { ImageSummary } from "../../image/types.ts";
import type { ImagesData, PullFailure } from "../dashboard-data.ts";
import { formatBytes, formatCount, formatCounted, shortDigest, timeAgo } from "../format.ts";
import { type Html, type HtmlValue, html } from "../html.ts";
import { actionForm, empty, panel } from "./panel.ts";
import { badge } from "./status.ts";

const PHASES: Readonly<Record<PullStatus["phase"], string>> = {
  resolving: "asking the registry",
  downloading: "downloading",
  unpacking: "unpacking",
  building_rootfs: "building the file system",
  ready: "ready",
  failed: "failed",
};

/** What the images panel shows. */
export interface ImagesView {
  readonly data: ImagesData;
  /** Most rows; Infinity on the page of the images alone. */
  readonly max_rows: number;
  readonly now_ms: number;
  readonly csrf: string;
  readonly alert?: string | undefined;
}

/** The images that are here and on their way, those used last first. Pure. */
export function imagesPanel({ data, max_rows, now_ms, csrf, alert }: ImagesView): Html {
  const { images, pulls, failures, size_bytes } = data;
  const all = max_rows === Number.POSITIVE_INFINITY;
  const sorted = images.toSorted((a, b) => lastUse(b) - lastUse(a)).slice(0, max_rows);
  const hidden = images.length - sorted.length;
  return panel(
    {
      id: "images",
      topic: "images",
      title: "Cached images",
      source: `/dashboard/fragments/images${all ? "?all=1" : ""}`,
      aside: html`<span class="num">${formatCounted(images.length, "image")}</span> · <span class="num">${formatBytes(size_bytes)}</span>`,
      alert,
    },
    toolbar(csrf),
    (pulls.length > 0 || failures.length > 0) &&
      html`<ul class="pulls">${pulls.map(pullItem)}${failures.map((failure) => failureItem(failure, now_ms))}</ul>`,
    sorted.length === 0
      ? empty("No image is here", "The first run pulls its image; or pull one above.")
      : imagesTable(sorted, now_ms, csrf),
    hidden > 0 && html`<p class="more"><a href="/dashboard/images">Show all ${images.length} images</a></p>`,
  );
}

function toolbar(csrf: string): Html {
  return html`<div class="toolbar">${actionForm(
    { action: "/dashboard/images/pull", panel: "images", csrf, className: "inline grow" },
    html`<label class="unseen" for="pull-image">Image to pull</label><input id="pull-image" name="image" required maxlength="1024" placeholder="python:3.12-slim" autocomplete="off" spellcheck="false" autocapitalize="none"><button>Pull</button>`,
  )}${actionForm(
    {
      action: "/dashboard/images/prune",
      panel: "images",
      csrf,
      confirm: "Remove every image that nothing uses, imported and pre-pulled ones excepted?",
    },
    html`<button class="quiet">Prune unused</button>`,
  )}</div>`;
}

function pullItem(pull: PullStatus): Html {
  const { downloaded_bytes, size_bytes } = downloadTotals(pull);
  const share = size_bytes === 0 ? 0 : downloaded_bytes / size_bytes;
  const done = pull.layers.filter(({ phase }) => phase === "done").length;
  const percent = Math.floor(100 * share);
  return html`<li class="pull"><span class="image">${pull.reference}</span><span class="note">${PHASES[pull.phase]}${pull.layers.length > 0 && html` · <span class="num">${formatBytes(downloaded_bytes)}</span> of <span class="num">${formatBytes(size_bytes)}</span> · <span class="num">${done}/${pull.layers.length}</span> layers`}</span><progress max="100" value="${percent}" aria-label="Pull of ${pull.reference}">${percent} %</progress></li>`;
}

function failureItem({ reference, reason, at_ms }: PullFailure, now_ms: number): Html {
  return html`<li class="pull pull-failed"><span class="image">${reference}</span>${badge("pull failed", "bad")} <span class="note">${timeAgo(at_ms, now_ms)}</span><span class="reason">${reason}</span></li>`;
}

function imagesTable(images: readonly ImageSummary[], now_ms: number, csrf: string): Html {
  return html`<table class="cards"><caption class="unseen">Images in the cache</caption><thead><tr><th scope="col">Reference</th><th scope="col">Digest</th><th scope="col" class="right">Size</th><th scope="col" class="right">Pulled</th><th scope="col" class="right">Last used</th><th scope="col" class="right">Uses</th><th scope="col"><span class="unseen">Remove</span></th></tr></thead><tbody>${images.map((image) => imageRow(image, now_ms, csrf))}</tbody></table>`;
}

function imageRow(image: ImageSummary, now_ms: number, csrf: string): Html {
  const { digest, last_used_at_ms, in_use } = image;
  const first = image.references[0]?.reference ?? digest;
  const used: HtmlValue =
    last_used_at_ms === undefined
      ? html`<span class="absent">never</span>`
      : timeAgo(last_used_at_ms, now_ms);
  return html`<tr id="image-${shortDigest(digest)}"><td data-label="Reference">${image.references.map(({ reference, imported, unreachable }) => html`<span class="reference"><a class="image" href="/dashboard/runs?image=${encodeURIComponent(reference)}" title="Runs of this image">${reference}</a>${imported && badge("imported", "mute")}${unreachable !== undefined && html`<span class="badge tone-warn" title="${unreachable}">registry unreachable</span>`}</span>`)}</td><td data-label="Digest"><code title="${digest}">${shortDigest(digest)}</code></td><td data-label="Size" class="right num">${formatBytes(image.size_bytes)}</td><td data-label="Pulled" class="right">${timeAgo(image.pulled_at_ms, now_ms)}</td><td data-label="Last used" class="right">${used}</td><td data-label="Uses" class="right num">${in_use > 0 && html`<span class="badge tone-good">${in_use} now</span> `}${formatCount(image.uses)}</td><td class="right">${actionForm({ action: "/dashboard/images/remove", panel: "images", csrf, confirm: `Remove ${first} with all its names?` }, html`<input type="hidden" name="digest" value="${digest}"><button class="quiet danger" aria-label="Remove ${first}"${in_use > 0 && html` disabled title="in use"`}>Remove</button>`)}</td></tr>`;
}

function lastUse(image: ImageSummary): number {
  return Math.max(image.last_used_at_ms ?? 0, image.pulled_at_ms);
}
