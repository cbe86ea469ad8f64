/**
 * Whether a request that changes something comes from a page of ours, as far as browsers tell (Origin, RFC 6454; Fetch
 * Metadata). Clients that tell nothing are no browsers of today; the token of the form is asked for all the same. Pure.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = headers.get("origin");
  if (origin === null) return true;
  if (origin === "null") return site === "same-origin";
  return URL.canParse(origin) && new URL(origin).host === headers.get("host");
}
