import type { Logger } from "pino";
import { BoxerError, messageOf } from "../../core/errors.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { ImageSource } from "../image-source.ts";
import { LayoutSource } from "../layout/layout-source.ts";
import { resolveImage } from "../manifest/resolve-image.ts";
import type { Reference } from "../reference.ts";
import { type RegistryOptions, RegistrySource } from "../registry/registry-source.ts";
import { SharedFlights } from "../shared-flights.ts";
import type { ImageIndex, StoredImage, StoredName } from "../store/image-index.ts";
import type { ImagePlatform } from "../types.ts";
import type { ImageBuilder } from "./image-builder.ts";

export interface PullerOptions {
  readonly registry: RegistryOptions;
  readonly platform: ImagePlatform;
  readonly max_image_bytes: number;
  readonly pull_timeout_secs: number;
  readonly index: ImageIndex;
  readonly builder: ImageBuilder;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a pull came to. */
export interface Pulled {
  readonly image: StoredImage;
  /** Why the image is the one that was here before, and perhaps not the newest; undefined otherwise. */
  readonly failure: unknown;
}

/** An image that is here is not kept waiting longer than this by the question whether it is still the newest. */
const RECHECK_TIMEOUT_MS = 10_000;
/** How long a registry that could not be reached is left alone. */
const UNREACHABLE_PAUSE_MS = 30_000;

/** Brings the store's names up to date, each by one pull at a time. */
export class Puller {
  readonly #options: PullerOptions;
  readonly #pulls = new SharedFlights<Pulled>();

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /**
   * Asks the registry what a reference stands for now, and gets that image unless it is here. While the registry
   * cannot be reached, an image that is here stands in.
   * @throws BoxerError with the bare reason, when there is no image that could stand in; system errors; the signal's
   *   reason when that aborts, while the pull goes on for the others who wait for it
   */
  async pull(reference: Reference, signal: AbortSignal): Promise<Pulled> {
    return await this.#pulls.join(reference.text, signal, (shared) => this.#pull(reference, shared));
  }

  /** Gets the image of a layout directory, under the reference's name. Throws as `pull`. */
  async import(directory: string, reference: Reference, signal: AbortSignal): Promise<StoredImage> {
    return await this.#get(new LayoutSource(directory, reference), reference, true, signal);
  }

  /** Aborts what is under way and waits for it. */
  async close(reason: Error): Promise<void> {
    await this.#pulls.close(reason);
  }

  async #pull(reference: Reference, signal: AbortSignal): Promise<Pulled> {
    const { registry, index } = this.#options;
    const source = new RegistrySource(reference, registry);
    const known = index.name(reference.text);
    if (!known) return { image: await this.#get(source, reference, false, signal), failure: undefined };
    try {
      if (await this.#isUnchanged(source, known, signal)) return { image: known.image, failure: undefined };
      return { image: await this.#get(source, reference, false, signal), failure: undefined };
    } catch (failure) {
      signal.throwIfAborted();
      this.#noteUnreachable(known, failure);
      return { image: known.image, failure };
    }
  }

  async #isUnchanged(source: RegistrySource, known: StoredName, signal: AbortSignal): Promise<boolean> {
    const { index, clock } = this.#options;
    const late = (): Error =>
      new BoxerError("image_pull_failed", `no answer within ${RECHECK_TIMEOUT_MS} ms`);
    const deadline = withDeadline(signal, RECHECK_TIMEOUT_MS, late);
    const digest = await source.headManifest(deadline.signal).finally(deadline.stop);
    if (digest !== known.resolved) return false;
    const { reference, resolved, imported } = known;
    return await index.setName(known.image, { reference, resolved, imported, checked_at_ms: clock.now() });
  }

  async #get(
    source: ImageSource,
    reference: Reference,
    imported: boolean,
    signal: AbortSignal,
  ): Promise<StoredImage> {
    const { platform, max_image_bytes, pull_timeout_secs, builder, index, clock, log } = this.#options;
    const late = (): Error =>
      new BoxerError("image_pull_failed", `it took longer than ${pull_timeout_secs} s`);
    const deadline = withDeadline(signal, 1000 * pull_timeout_secs, late);
    const options = { platform, max_image_bytes, clock, log, signal: deadline.signal };
    const started_at_ms = clock.now();
    try {
      for (;;) {
        const resolved = await resolveImage(source, reference.digest, options);
        const image = await builder.build(source, resolved, deadline.signal);
        const now_ms = clock.now();
        const facts = {
          reference: reference.text,
          resolved: resolved.resolved,
          imported,
          checked_at_ms: now_ms,
        };
        if (!(await index.setName(image, facts))) continue;
        const { digest, size_bytes } = image;
        log.info(
          { image: reference.text, digest, size_bytes, duration_ms: now_ms - started_at_ms },
          "image is ready",
        );
        return image;
      }
    } finally {
      deadline.stop();
    }
  }

  #noteUnreachable(name: StoredName, failure: unknown): void {
    const { clock, log } = this.#options;
    const reason = messageOf(failure);
    name.unreachable = { reason, until_ms: clock.now() + UNREACHABLE_PAUSE_MS };
    log.warn(
      { image: name.reference, reason },
      "cannot look the image up again; the one from before is used",
    );
  }
}
