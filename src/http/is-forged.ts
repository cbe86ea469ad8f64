import { isIP } from "node:net";
import type { Config } from "../config/config.ts";
import { isLoopback, namesLoopback } from "../config/listen-address.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Where the server listens, and whether the operator has said who may see the dashboard there. */
export type Doors = Pick<Config, "listen"> & { readonly dashboard: Pick<Config["dashboard"], "auth"> };

/**
 * Whether a page of somebody else has made a browser ask, for a change or for what only this machine may read. Programs
 * tell neither Origin (RFC 6454) nor Sec-Fetch-Site (Fetch Metadata) when they ask for a change, and are not bound by what
 * follows; no script can set either.
 *
 * A page of another site or origin is told by these headers. One whose name somebody has pointed here (DNS rebinding) is
 * of our origin by all headers: on loopback it is known by the name. Pure.
 */
export function isForged(method: string, headers: Headers, doors: Doors): boolean {
  if (SAFE_METHODS.has(method)) return isReboundRead(headers, doors);
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (site === null && origin === null) return false;
  if (site !== null && site !== "same-origin" && site !== "none") return true;
  if (site === null && !isOwnOrigin(origin ?? "", headers)) return true;
  return isRebound(origin, headers.get("host") ?? "", doors);
}

/** A proxy may have changed Host; a page of another origin that says what it was is stopped by its browser (CORS). */
function isOwnOrigin(origin: string, headers: Headers): boolean {
  const host = URL.canParse(origin) ? new URL(origin).host : null;
  const own = [headers.get("host"), headers.get("x-forwarded-host")];
  return host !== null && own.some((each) => each?.toLowerCase() === host);
}

/**
 * A server on loopback is reached by the names of loopback, unless a proxy is before it. That one has a port of its own,
 * and TLS or an operator who knows of it: a browser that came here straight under another name is at our port.
 */
function isRebound(origin: string | null, host: string, { listen, dashboard }: Doors): boolean {
  if (!isLoopback(listen) || namesLoopback(host)) return false;
  const isAnnounced = dashboard.auth !== undefined || origin?.startsWith("https:") === true;
  return !isAnnounced || listen.port === 0 || portOf(host) === listen.port;
}

/**
 * A page may not read what another origin answers, but one whose name is pointed here is of our origin, and its browser
 * tells neither Origin nor, without TLS, Fetch Metadata. What remains: it comes straight to our port under a name that is
 * not one of loopback, and with Accept-Language (Fetch, 4), which scripts can change but not take away. Programs that
 * send that as well have to use a name of loopback or an address.
 */
function isReboundRead(headers: Headers, { listen }: Doors): boolean {
  const host = headers.get("host");
  if (host === null || !isLoopback(listen) || !headers.has("accept-language")) return false;
  const isStraight = listen.port === 0 || portOf(host) === listen.port;
  return isStraight && !namesLoopback(host) && !isAddress(host);
}

/** Nobody can point an address elsewhere. */
function isAddress(host: string): boolean {
  return isIP(host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1")) !== 0;
}

function portOf(host: string): number {
  return Number(/:(\d+)$/.exec(host)?.[1] ?? 80);
}
