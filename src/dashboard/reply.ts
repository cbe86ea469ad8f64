import type { Html } from "./html.ts";

const HTML = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };

/** A page, or a part of one. */
export function htmlReply(
  content: Html | string,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const text = typeof content === "string" ? content : content.text;
  return new Response(text, { status, headers: { ...HTML, ...headers } });
}

/** Sends the browser elsewhere with GET (RFC 9110, 15.4.4). */
export function seeOther(location: string, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store", ...headers } });
}

/** Whether a part of the page is wanted, and not a page: htmx says so. */
export function isFragment(request: Request): boolean {
  return request.headers.get("hx-request") === "true";
}
