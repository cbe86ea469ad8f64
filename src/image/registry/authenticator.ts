import type { Clock } from "../clock.ts";
import { parseChallenges } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { basicAuthorization, fetchToken, type Token, type TokenRequest } from "./fetch-token.ts";
import type { HostPolicy } from "./host-policy.ts";
import type { Transport } from "./transport.ts";

export interface AuthenticatorOptions {
  readonly transport: Transport;
  readonly policy: HostPolicy;
  readonly clock: Clock;
  /** The scope of every token, our own: a registry cannot make us ask for more than to pull. */
  readonly scope: string;
  /** Looked up when the registry first asks for them. */
  findCredentials(): Promise<Credentials | undefined>;
}

/** A token is renewed this long before its end, so that it does not end on the way. */
const MARGIN_MS = 10_000;
const TOKEN_TIMEOUT_MS = 60_000;

type Scheme =
  | { kind: "none" }
  | { kind: "basic"; authorization: string }
  | { kind: "bearer"; request: TokenRequest };

/**
 * Proves who we are to one registry, for one repository. Nothing is sent before the registry asks for it by a 401.
 *
 * The rule for credentials, which is the one of Docker and containerd: a registry may have the credentials that are
 * configured for its own host, directly (Basic), and may name a token server of any host to hand them to (Bearer),
 * since they are the registry's own secrets. What keeps them safe is that
 * - only a 401 of the registry itself counts, never one from a host that it redirected to;
 * - the token server must be on https, unless the registry itself may be and is spoken to in plain http
 *   ({@link HostPolicy}), and cannot be on loopback unless the registry is;
 * - credentials of one host are never looked up for another's challenge, a mirror's and its registry's included;
 * - redirects strip them when the origin changes, and an identity token follows no redirect at all.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  #scheme: Scheme = { kind: "none" };
  #token: Promise<{ value: string; expires_at_ms: number }> | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * The Authorization header to send now, with a new token if need be; undefined while the registry has not asked.
   * @throws BoxerError `image_pull_failed` when there is no token to be had
   */
  async authorization(): Promise<string | undefined> {
    if (this.#scheme.kind === "none") return undefined;
    if (this.#scheme.kind === "basic") return this.#scheme.authorization;
    const held = await this.#token;
    if (held && this.#options.clock.now() < held.expires_at_ms - MARGIN_MS) return `Bearer ${held.value}`;
    this.#token = this.#renew(this.#scheme.request);
    return `Bearer ${(await this.#token).value}`;
  }

  /**
   * Learns from a 401 what the registry wants.
   * @param registry the registry's own address
   * @param rejected the Authorization header that was not good enough
   * @returns whether another try makes sense
   * @throws BoxerError `image_pull_failed` for a token server that is refused or a credential helper that fails
   */
  async learn(registry: URL, header: string | null, rejected: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm"),
    );
    const basic = challenges.some(({ scheme }) => scheme === "basic");
    if (!bearer && !basic) return false;
    const credentials = await this.#options.findCredentials();
    if (bearer) {
      const { policy, scope } = this.#options;
      const realm = policy.follow(registry, bearer.parameters.get("realm") ?? "", "token server");
      const service = bearer.parameters.get("service");
      this.#scheme = { kind: "bearer", request: { realm, service, scope, credentials } };
      // Another request may have renewed it meanwhile.
      const held = await this.#token;
      if (held && rejected === `Bearer ${held.value}`) this.#token = undefined;
      return true;
    }
    if (credentials?.kind !== "password") return false;
    this.#scheme = { kind: "basic", authorization: basicAuthorization(credentials) };
    return true;
  }

  /** Shared by all who wait; so it has a time-out of its own and does not follow the signal of one of them. */
  #renew(request: TokenRequest): Promise<{ value: string; expires_at_ms: number }> {
    const { transport, clock } = this.#options;
    const token = fetchToken(transport, request, AbortSignal.timeout(TOKEN_TIMEOUT_MS)).then(
      (fresh: Token) => ({
        value: fresh.value,
        expires_at_ms: clock.now() + fresh.lifetime_ms,
      }),
    );
    token.catch(() => {
      if (this.#token === token) this.#token = undefined;
    });
    return token;
  }
}
