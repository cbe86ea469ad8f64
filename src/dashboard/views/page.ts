import { type Html, type HtmlValue, html, raw } from "../html.ts";

/** What stands around the content of a page. */
export interface PageOptions {
  readonly title: string;
  /** Path of the entry of the navigation that the page belongs to. */
  readonly section: "/dashboard" | "/dashboard/runs" | "/dashboard/images" | "/dashboard/try" | "";
  /** Whether parts of the page are live. */
  readonly isLive?: boolean;
  /** Whether somebody is logged in with a cookie; the token for logging out then. */
  readonly logout?: string | undefined;
  /** For browsers without JavaScript: load the page again after so many seconds. */
  readonly refresh_secs?: number | undefined;
}

const NAVIGATION = [
  ["/dashboard", "Overview"],
  ["/dashboard/runs", "Runs"],
  ["/dashboard/images", "Images"],
  ["/dashboard/try", "Try it"],
] as const;

/** How htmx is set up: only the extension that is used, no styles of its own. */
const HTMX_CONFIG = raw(
  `<meta name="htmx-config" content='{"extensions":"sse","includeIndicatorCSS":false,"history":false,"sse":{"reconnectDelay":500,"reconnectMaxDelay":10000}}'>`,
);

/** A whole page, as the text of the answer. Pure. */
export function page(options: PageOptions, ...content: readonly HtmlValue[]): string {
  const { title, section, isLive = false, logout, refresh_secs } = options;
  const items = NAVIGATION.map(
    ([path, name]) =>
      html`<li><a href="${path}"${path === section && html` aria-current="page"`}>${name}</a></li>`,
  );
  const document: Html = html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="same-origin">${HTMX_CONFIG}${refresh_secs !== undefined && html`<noscript><meta http-equiv="refresh" content="${refresh_secs}"></noscript>`}<title>${title} · Boxer</title><link rel="icon" href="/dashboard/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/dashboard/assets/dashboard.css"><script src="/dashboard/assets/dashboard.js" defer></script></head>
<body${isLive && html` hx-sse:connect="/dashboard/events"`}><a class="skip" href="#content">Skip to content</a><header class="top"><a class="brand" href="/dashboard"><svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect x="3" y="3" width="26" height="26" rx="6"/><path d="M10 12l6-3.4 6 3.4v8L16 23.4 10 20zM10 12l6 3.4 6-3.4M16 15.4v8"/></svg>Boxer</a><nav aria-label="Pages"><ul>${items}<li><a href="/swagger">API</a></li></ul></nav>${isLive && html`<span class="live" id="live" role="status" hidden></span>`}${logout && html`<form class="inline" method="post" action="/dashboard/logout"><input type="hidden" name="csrf" value="${logout}"><button class="quiet">Log out</button></form>`}</header>
<main id="content">${content}</main></body></html>`;
  return `<!doctype html>\n${document.text}\n`;
}

/** A page that says one thing. */
export function messagePage(title: string, ...content: readonly HtmlValue[]): string {
  return page({ title, section: "" }, html`<section class="message"><h1>${title}</h1>${content}</section>`);
}
