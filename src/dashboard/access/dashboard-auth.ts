import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { DashboardAccess } from "../../config/dashboard-access.ts";
import { isLoopback, type ListenAddress } from "../../config/listen-address.ts";

/** What becomes of a request. */
export type Access = "granted" | "log_in" | "challenge" | "not_configured";

const SESSION_MS = 12 * 3_600_000;
const COOKIE = "boxer_dashboard";
/** Headers by which a proxy tells of itself. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** Decides who sees the dashboard. Sessions are those of one process: a restart ends them. */
export class DashboardAuth {
  readonly #config: DashboardAccess;
  readonly #listen: ListenAddress;
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** In every form; no page of another site can know it. */
  readonly csrf = randomBytes(24).toString("base64url");

  constructor(config: DashboardAccess, listen: ListenAddress, now: () => number = Date.now) {
    this.#config = config;
    this.#listen = listen;
    this.#now = now;
  }

  /** Whether sessions are begun by a form. */
  get hasLogin(): boolean {
    return this.#config.auth === "token";
  }

  /** What becomes of a request, by its headers alone. */
  check(headers: Headers): Access {
    switch (this.#config.auth) {
      case "none":
        return "granted";
      case "token":
        return this.#hasSession(headers) || this.isToken(bearerOf(headers)) ? "granted" : "log_in";
      case "basic":
        return this.#isUser(headers) ? "granted" : "challenge";
      case undefined:
        return isLoopback(this.#listen) && isLocal(headers) ? "granted" : "not_configured";
    }
  }

  /** Whether this is the token; takes the same time for every text. */
  isToken(text: string): boolean {
    return isSame(text, this.#config.token ?? "") && this.#config.token !== undefined;
  }

  /** The cookie of a new session, as `Set-Cookie` has it (RFC 6265). */
  newSession(isSecure: boolean): string {
    const until = String(this.#now() + SESSION_MS);
    return `${COOKIE}=${until}.${this.#sign(until)}; Path=/; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
  }

  /** Takes the cookie back. */
  endedSession(): string {
    return `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;
  }

  #hasSession(headers: Headers): boolean {
    const [, until = "", signature = ""] =
      new RegExp(`(?:^|;\\s*)${COOKIE}=(\\d{1,16})\\.([\\w-]+)`).exec(headers.get("cookie") ?? "") ?? [];
    return isSame(signature, this.#sign(until)) && Number(until) > this.#now();
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(`session ${text}`).digest("base64url");
  }

  #isUser(headers: Headers): boolean {
    const { user, password } = this.#config;
    const [, encoded = ""] = /^Basic\s+([\w+/=-]+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    const given = Buffer.from(encoded, "base64").toString("utf8");
    return isSame(given, `${user}:${password}`) && user !== undefined && password !== undefined;
  }
}

function bearerOf(headers: Headers): string {
  return /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
}

/** Compares in a time that does not tell how much is the same, nor how long the texts are. */
export function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/**
 * Whether a request comes from this machine, and straight: a proxy would show the dashboard to those it serves, and a
 * name that somebody else points here (DNS rebinding) to the pages of that name.
 */
function isLocal(headers: Headers): boolean {
  if (PROXY_HEADERS.some((name) => headers.has(name))) return false;
  const host = headers.get("host") ?? "localhost";
  const [, bracketed, plain] = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(host) ?? [];
  return isLoopback({ hostname: (bracketed ?? plain ?? "").toLowerCase(), port: 0 });
}
