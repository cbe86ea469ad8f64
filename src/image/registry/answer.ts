import { BoxerError } from "../../core/errors.ts";
import { TemporaryError } from "../retry.ts";
import { describeNetworkError } from "./describe-network-error.ts";

interface AnswerLimits {
  readonly idle_ms: number;
  /** The caller's. */
  readonly signal: AbortSignal;
  /** Aborts the connection when the server falls silent. */
  readonly silence: AbortController;
}

/** The answer to a request: head here, body still on its way. The body must be read or discarded, once. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from, redirects followed. */
  readonly url: URL;
  readonly #response: Response;
  readonly #limits: AnswerLimits;

  constructor(response: Response, url: URL, limits: AnswerLimits) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.#response = response;
    this.#limits = limits;
  }

  /**
   * The body, piece by piece.
   * @throws TemporaryError when the connection breaks or falls silent; the signal's reason
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const { idle_ms, signal, silence } = this.#limits;
    const reader = this.#response.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${idle_ms} ms`)), idle_ms);
        const { done, value } = await reader.read().finally(() => clearTimeout(timer));
        if (done) return;
        yield value;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw new TemporaryError(`connection to ${this.url.host} broke: ${describeNetworkError(error)}`, {
        cause: error,
      });
    } finally {
      // Also where the consumer stops half way: without this the connection would stay open.
      await reader.cancel().catch(() => {});
    }
  }

  /**
   * The whole body, of at most `limit` bytes.
   * @throws BoxerError `image_invalid` when it is longer; as `chunks`
   */
  async bytes(limit: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.chunks()) {
      length += chunk.length;
      if (length > limit) {
        throw new BoxerError("image_invalid", `the answer of ${this.url.host} is longer than ${limit} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Gives the body up. */
  async discard(): Promise<void> {
    await this.#response.body?.cancel().catch(() => {});
  }
}
