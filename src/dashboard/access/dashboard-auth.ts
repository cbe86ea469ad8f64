import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { DashboardAccess } from "../../config/dashboard-access.ts";
import { isLoopback, type ListenAddress, namesLoopback } from "../../config/listen-address.ts";
import { Throttle } from "./throttle.ts";

/** What becomes of a request; `slow_down`: its client has sent too many wrong secrets. */
export type Access = "granted" | "log_in" | "challenge" | "not_configured" | "slow_down";

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
  readonly #throttle: Throttle;
  /** In every form; no page of another site can know it. */
  readonly csrf = randomBytes(24).toString("base64url");

  constructor(config: DashboardAccess, listen: ListenAddress, now: () => number = Date.now) {
    this.#config = config;
    this.#listen = listen;
    this.#now = now;
    this.#throttle = new Throttle(now);
  }

  /** Whether sessions are begun by a form. */
  get hasLogin(): boolean {
    return this.#config.auth === "token";
  }

  /** Whether the dashboard is here for a request, to those who may see it. */
  isHere(headers: Headers): boolean {
    return this.#config.auth !== undefined || (isLoopback(this.#listen) && isLocal(headers));
  }

  /**
   * What becomes of a request, by its headers alone.
   * @param client who asks; wrong secrets make it wait
   */
  check(headers: Headers, client: string): Access {
    switch (this.#config.auth) {
      case "none":
        return "granted";
      case "token":
        if (this.#hasSession(headers)) return "granted";
        return this.#try(client, bearerOf(headers), (token) => this.#isToken(token)) ?? "log_in";
      case "basic":
        return this.#try(client, basicOf(headers), (given) => this.#isUser(given)) ?? "challenge";
      case undefined:
        return this.isHere(headers) ? "granted" : "not_configured";
    }
  }

  /**
   * Looks at a token that somebody has typed.
   * @param client who; wrong ones make it wait
   */
  logIn(token: string, client: string): "granted" | "log_in" | "slow_down" {
    return this.#try(client, token, (text) => this.#isToken(text)) ?? "log_in";
  }

  /** How long a client has to wait before a secret of it is looked at. */
  wait_ms(client: string): number {
    return this.#throttle.wait_ms(client);
  }

  /** Looks at a secret, if one was sent; undefined when it is wrong or there is none. */
  #try(client: string, secret: string | null, isRight: (secret: string) => boolean) {
    if (secret === null) return undefined;
    if (this.#throttle.wait_ms(client) > 0) return "slow_down";
    if (isRight(secret)) {
      this.#throttle.succeeded(client);
      return "granted";
    }
    this.#throttle.failed(client);
    return undefined;
  }

  /** Takes the same time for every text. */
  #isToken(text: string): boolean {
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

  #isUser(given: string): boolean {
    const { user, password } = this.#config;
    return isSame(given, `${user}:${password}`) && user !== undefined && password !== undefined;
  }
}

/** The token of `Authorization: Bearer` (RFC 6750), or null. */
function bearerOf(headers: Headers): string | null {
  return /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

/** `user:password` of `Authorization: Basic` (RFC 7617), or null. */
function basicOf(headers: Headers): string | null {
  const encoded = /^Basic\s+([\w+/=-]+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  return encoded === undefined ? null : Buffer.from(encoded, "base64").toString("utf8");
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
  return namesLoopback(headers.get("host") ?? "localhost");
}
