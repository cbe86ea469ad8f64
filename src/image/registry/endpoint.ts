import type { BoxerError } from "../../core/errors.ts";
import { abortable } from "../abortable.ts";
import type { Clock } from "../clock.ts";
import { type Descriptor, MAX_DOCUMENT_BYTES, type ManifestDocument } from "../image-source.ts";
import { MANIFEST_MEDIA_TYPES } from "../media-types.ts";
import { printable } from "../printable.ts";
import { TemporaryError } from "../retry.ts";
import type { Answer } from "./answer.ts";
import type { Authenticator } from "./authenticator.ts";
import { describeRefusal } from "./describe-refusal.ts";
import type { HostPolicy } from "./host-policy.ts";
import type { Transport } from "./transport.ts";

export interface EndpointOptions {
  /** `registry-1.docker.io`, `localhost:5000` */
  readonly host: string;
  readonly repository: string;
  readonly transport: Transport;
  readonly policy: HostPolicy;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
}

interface EndpointRequest {
  readonly method: "GET" | "HEAD";
  /** Below the repository: `manifests/latest`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * One repository at one host that speaks the OCI distribution specification
 * (https://github.com/opencontainers/distribution-spec, "pull"). All methods throw BoxerError with the bare reason:
 * `image_not_found`, `image_pull_failed`, TemporaryError; or the signal's reason.
 */
export class Endpoint {
  readonly host: string;
  readonly #options: EndpointOptions;
  #origin: Promise<URL> | undefined;

  constructor(options: EndpointOptions) {
    this.host = options.host;
    this.#options = options;
  }

  /** @param name a tag or a digest */
  async getManifest(name: string, signal: AbortSignal): Promise<ManifestDocument> {
    const headers = { accept: MANIFEST_MEDIA_TYPES.join(", ") };
    const answer = await this.#send({ method: "GET", path: `manifests/${name}`, headers, signal });
    if (answer.status !== 200) throw await this.#refusal(answer, "image_not_found");
    const media_type = (answer.headers.get("content-type") ?? "").replace(/;.*$/s, "").trim().toLowerCase();
    return { bytes: await answer.bytes(MAX_DOCUMENT_BYTES), media_type };
  }

  /** The Docker-Content-Digest of a manifest, which nobody vouches for; undefined where HEAD gives none. */
  async headManifest(name: string, signal: AbortSignal): Promise<string | undefined> {
    const headers = { accept: MANIFEST_MEDIA_TYPES.join(", ") };
    const answer = await this.#send({ method: "HEAD", path: `manifests/${name}`, headers, signal });
    await answer.discard();
    if (answer.status === 200) return answer.headers.get("docker-content-digest") ?? undefined;
    if (answer.status === 429 || answer.status >= 500) {
      throw new TemporaryError(`registry answered ${answer.status}`);
    }
    return undefined;
  }

  /** The content of a blob from `offset` on, for as long as the connection holds. */
  async openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const answer = await this.#send({ method: "GET", path: `blobs/${blob.digest}`, headers, signal });
    if (answer.status === 200) return skip(answer.chunks(), offset);
    if (answer.status !== 206) throw await this.#refusal(answer, "image_pull_failed");
    const range = answer.headers.get("content-range") ?? "";
    if (range.startsWith(`bytes ${offset}-`)) return answer.chunks();
    await answer.discard();
    throw new TemporaryError(`registry answered with the wrong range: "${printable(range, 50)}"`);
  }

  async #send(request: EndpointRequest): Promise<Answer> {
    const { transport, authenticator, repository } = this.#options;
    const origin = await abortable(this.#findOrigin(), request.signal);
    const url = new URL(`/v2/${repository}/${request.path}`, origin);
    for (let tries = 1; ; tries++) {
      const authorization = await abortable(authenticator.authorization(), request.signal);
      const answer = await transport.send({ ...request, url, authorization });
      if (answer.status !== 401 || answer.url.origin !== origin.origin || tries === 2) return answer;
      const challenge = answer.headers.get("www-authenticate");
      if (!(await authenticator.learn(origin, challenge, authorization))) return answer;
      await answer.discard();
    }
  }

  async #refusal(answer: Answer, codeOf404: "image_not_found" | "image_pull_failed"): Promise<BoxerError> {
    const code = answer.status === 404 ? codeOf404 : "image_pull_failed";
    return await describeRefusal(answer, "registry", code, this.#options.clock.now);
  }

  /** Https; where plain http is allowed, whichever of the two answers a ping, https first. Shared by all requests. */
  #findOrigin(): Promise<URL> {
    this.#origin ??= this.#probe().catch((error) => {
      this.#origin = undefined;
      throw error;
    });
    return this.#origin;
  }

  async #probe(): Promise<URL> {
    const { host, policy, transport } = this.#options;
    const https = new URL(`https://${host}`);
    if (!policy.mayUsePlainHttp(https)) return https;
    const { signal } = new AbortController();
    const answers = async (origin: URL): Promise<URL> => {
      const url = new URL("/v2/", origin);
      const ping = { method: "GET", url, headers: {}, authorization: undefined, signal } as const;
      await (await transport.send(ping)).discard();
      return origin;
    };
    return await answers(https).catch((error) => {
      if (!(error instanceof TemporaryError)) throw error;
      return answers(new URL(`http://${host}`));
    });
  }
}

/** The rest of a stream, for a server that knows no ranges. */
async function* skip(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
