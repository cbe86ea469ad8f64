import { TemporaryError } from "../retry.ts";
import { Answer } from "./answer.ts";
import { describeNetworkError } from "./describe-network-error.ts";
import type { HostPolicy } from "./host-policy.ts";

/** How long silence is borne. */
export interface Timeouts {
  /** From the start of a request, with the connection, to the head of its answer. */
  readonly head_ms: number;
  /** Between two pieces of a body. */
  readonly idle_ms: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { head_ms: 30_000, idle_ms: 60_000 };

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Value of the Authorization header; it stays with the origin of `url`, whatever redirects say. */
  readonly authorization: string | undefined;
  readonly body?: URLSearchParams;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * HTTP by the runtime's `fetch`, with time-outs and with redirects by our own rules. Proxies are the runtime's
 * affair: both take HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY from the environment at start-up, in upper or
 * lower case, and use them for loopback too unless NO_PROXY names it. Further certificate authorities are named by
 * NODE_EXTRA_CA_CERTS (Bun) and DENO_CERT (Deno).
 */
export class Transport {
  readonly #policy: HostPolicy;
  readonly #timeouts: Timeouts;

  constructor(policy: HostPolicy, timeouts: Timeouts = DEFAULT_TIMEOUTS) {
    this.#policy = policy;
    this.#timeouts = timeouts;
  }

  /**
   * Sends a request and follows its redirects, five at most. Those of a POST are not followed: its body is a secret.
   * @returns the answer, whatever its status; its body must be read or discarded
   * @throws TemporaryError when there is no answer; BoxerError for a redirect that is refused; the signal's reason
   */
  async send(request: HttpRequest): Promise<Answer> {
    let { url, authorization } = request;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#sendOnce({ ...request, url, authorization });
      const location = answer.headers.get("location");
      if (!REDIRECTS.has(answer.status) || location === null || request.method === "POST") return answer;
      await answer.discard();
      if (redirects === MAX_REDIRECTS) throw new TemporaryError(`more than ${MAX_REDIRECTS} redirects`);
      const next = this.#policy.follow(url, location, "redirect");
      if (next.origin !== url.origin) authorization = undefined;
      url = next;
    }
  }

  async #sendOnce(request: HttpRequest): Promise<Answer> {
    const { method, url, authorization, body, signal } = request;
    const silence = new AbortController();
    const timer = setTimeout(
      () => silence.abort(new Error(`no answer within ${this.#timeouts.head_ms} ms`)),
      this.#timeouts.head_ms,
    );
    const init: RequestInit & { decompress: boolean } = {
      method,
      redirect: "manual",
      headers: {
        "user-agent": "boxer",
        // Blobs must come as they are stored. Bun decodes nevertheless unless told not to.
        "accept-encoding": "identity",
        ...request.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body ? { body } : {}),
      signal: AbortSignal.any([signal, silence.signal]),
      decompress: false,
    };
    try {
      const response = await fetch(url, init);
      return new Answer(response, url, { idle_ms: this.#timeouts.idle_ms, signal, silence });
    } catch (error) {
      signal.throwIfAborted();
      throw new TemporaryError(`cannot reach ${url.host}: ${describeNetworkError(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
