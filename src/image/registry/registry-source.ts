import type { Logger } from "pino";
import { messageOf } from "../../core/errors.ts";
import type { Clock } from "../clock.ts";
import { type Digest, isDigest } from "../digest.ts";
import type { Descriptor, ImageSource, ManifestDocument } from "../image-source.ts";
import type { Reference } from "../reference.ts";
import { retry } from "../retry.ts";
import { Authenticator } from "./authenticator.ts";
import { type CredentialOptions, findCredentials } from "./credentials.ts";
import { Endpoint } from "./endpoint.ts";
import { HostPolicy } from "./host-policy.ts";
import { type Timeouts, Transport } from "./transport.ts";

/** What all pulls from registries share. */
export interface RegistryOptions extends CredentialOptions {
  readonly insecure_registries: readonly string[];
  readonly registry_mirrors: Readonly<Record<string, readonly string[]>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timeouts?: Timeouts;
}

/** Docker Hub answers elsewhere than it is named. */
const API_HOSTS: ReadonlyMap<string, string> = new Map([["docker.io", "registry-1.docker.io"]]);

/**
 * One image as registries have it: at the mirrors in their order, then at the registry itself. A mirror that fails
 * once is not asked again; tokens and the like live as long as this object.
 */
export class RegistrySource implements ImageSource {
  readonly #reference: Reference;
  readonly #options: RegistryOptions;
  #endpoints: Endpoint[];

  constructor(reference: Reference, options: RegistryOptions) {
    this.#reference = reference;
    this.#options = options;
    const { registry } = reference;
    const mirrors = Object.hasOwn(options.registry_mirrors, registry)
      ? options.registry_mirrors[registry]
      : [];
    const policy = new HostPolicy(options.insecure_registries);
    const transport = new Transport(policy, options.timeouts);
    this.#endpoints = [...(mirrors ?? []), API_HOSTS.get(registry) ?? registry].map((host) => {
      const { repository } = reference;
      const authenticator = new Authenticator({
        transport,
        policy,
        clock: options.clock,
        scope: `repository:${repository}:pull`,
        findCredentials: () => findCredentials(host, options),
      });
      return new Endpoint({ host, repository, transport, policy, authenticator, clock: options.clock });
    });
  }

  getManifest(digest: Digest | undefined, signal: AbortSignal): Promise<ManifestDocument> {
    const name = digest ?? this.#name;
    const { clock } = this.#options;
    return this.#first((endpoint) => retry(() => endpoint.getManifest(name, signal), clock, signal), signal);
  }

  /**
   * The digest that the registry states for the image's name, at the price of one request that no registry counts as
   * a pull; undefined where it states none.
   */
  async headManifest(signal: AbortSignal): Promise<Digest | undefined> {
    const digest = await this.#first((endpoint) => endpoint.headManifest(this.#name, signal), signal);
    return digest !== undefined && isDigest(digest) ? digest : undefined;
  }

  openBlob(blob: Descriptor, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#first((endpoint) => endpoint.openBlob(blob, offset, signal), signal);
  }

  get #name(): string {
    return this.#reference.digest ?? this.#reference.tag ?? "latest";
  }

  async #first<T>(ask: (endpoint: Endpoint) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const [endpoint, ...others] = this.#endpoints as [Endpoint, ...Endpoint[]];
      try {
        return await ask(endpoint);
      } catch (error) {
        signal.throwIfAborted();
        if (others.length === 0) throw error;
        this.#options.log.warn(
          { mirror: endpoint.host, image: this.#reference.text, reason: messageOf(error) },
          "registry mirror failed",
        );
        this.#endpoints = this.#endpoints.filter((candidate) => candidate !== endpoint);
      }
    }
  }
}
