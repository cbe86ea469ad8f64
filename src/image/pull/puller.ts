import type { Logger } from "pino";
import { BoxerError, messageOf } from "../../core/errors.ts";
import type { Clock } from "../clock.ts";
import type { DaemonImages } from "../daemon/daemon-images.ts";
import { withDeadline } from "../deadline.ts";
import type { Digest } from "../digest.ts";
import type { ImageSource } from "../image-source.ts";
import { describePlatform } from "../manifest/choose-platform.ts";
import { resolveImage } from "../manifest/resolve-image.ts";
import { isForThisPlatform } from "../policy/find-fresh.ts";
import type { PullBoard, Report } from "../progress/pull-board.ts";
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
  /** Asked when a registry does not have an image; absent where there is no local Docker daemon to ask. */
  readonly daemon?: DaemonImages | undefined;
  /** Shows the pulls under way. */
  readonly board: PullBoard;
  /** Told of each image that came, when it has its name. */
  readonly onArrival: (image: StoredImage) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a pull came to. */
export interface Pulled {
  readonly image: StoredImage;
  /** Why the image is the one that was here before, and perhaps not the newest; undefined otherwise. */
  readonly failure: unknown;
}

/** Where an image comes from, as its name's record has it. */
interface Origin {
  readonly imported: boolean;
  readonly from_daemon?: true;
  /** What the source says that the name stands for, where that is not a digest of what it gives. */
  readonly resolved?: Digest;
}

const FROM_REGISTRY: Origin = { imported: false };

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
   * cannot be reached, an image that is here stands in. One that is not here may come from the local Docker daemon.
   * @throws BoxerError with the bare reason, when there is no image that could stand in; system errors; the signal's
   *   reason when that aborts, while the pull goes on for the others who wait for it
   */
  async pull(reference: Reference, signal: AbortSignal): Promise<Pulled> {
    const { board } = this.#options;
    return await this.#pulls.join(reference.text, signal, (shared) =>
      board.track(reference.text, (report) => this.#pull(reference, shared, report)),
    );
  }

  /** Gets the image of a source, under the reference's name. Throws as `pull`. */
  async import(source: ImageSource, reference: Reference, signal: AbortSignal): Promise<StoredImage> {
    return await this.#options.board.track(reference.text, (report) =>
      this.#get(source, reference, { imported: true }, signal, report),
    );
  }

  /** Aborts what is under way and waits for it. */
  async close(reason: Error): Promise<void> {
    await this.#pulls.close(reason);
  }

  async #pull(reference: Reference, signal: AbortSignal, report: Report): Promise<Pulled> {
    const { registry, index, platform } = this.#options;
    const source = new RegistrySource(reference, registry);
    const name = index.name(reference.text);
    const known = name && isForThisPlatform(name, platform) ? name : undefined;
    const ask = async (): Promise<StoredImage> => {
      if (known && (await this.#isUnchanged(source, known, signal))) return known.image;
      return await this.#get(source, reference, FROM_REGISTRY, signal, report);
    };
    try {
      const image = await this.#orFromDaemon(ask, reference, known, signal, report);
      return { image, failure: undefined };
    } catch (failure) {
      signal.throwIfAborted();
      if (!known) throw failure;
      this.#noteUnreachable(known, failure);
      return { image: known.image, failure };
    }
  }

  /** What the registry gives, else what the daemon has; that never takes the place of what came from a registry. */
  async #orFromDaemon(
    askRegistry: () => Promise<StoredImage>,
    reference: Reference,
    known: StoredName | undefined,
    signal: AbortSignal,
    report: Report,
  ): Promise<StoredImage> {
    const { daemon, log } = this.#options;
    try {
      return await askRegistry();
    } catch (failure) {
      signal.throwIfAborted();
      if (!daemon || (known && !known.from_daemon) || !isUnavailable(failure)) throw failure;
      const reason = messageOf(failure);
      log.info(
        { image: reference.text, reason },
        "no registry has the image; asking the local Docker daemon",
      );
      try {
        return await this.#getFromDaemon(daemon, reference, known, signal, report);
      } catch (secondFailure) {
        signal.throwIfAborted();
        throw bothFailed(failure, secondFailure);
      }
    }
  }

  async #getFromDaemon(
    daemon: DaemonImages,
    reference: Reference,
    known: StoredName | undefined,
    signal: AbortSignal,
    report: Report,
  ): Promise<StoredImage> {
    const { index } = this.#options;
    const deadline = this.#withDeadline(signal);
    try {
      const { id: resolved } = await daemon.find(reference, deadline.signal);
      const origin: Origin = { imported: false, from_daemon: true, resolved };
      const facts = this.#factsOf(reference.text, { ...origin, resolved });
      if (known?.resolved === resolved && (await index.setName(known.image, facts))) return known.image;
      return await daemon.withImage(reference, deadline.signal, (source) =>
        this.#get(source, reference, origin, deadline.signal, report),
      );
    } finally {
      deadline.stop();
    }
  }

  #factsOf<T extends Origin & { readonly resolved: Digest }>(reference: string, origin: T) {
    const { clock, platform } = this.#options;
    return { reference, ...origin, checked_at_ms: clock.now(), platform: describePlatform(platform) };
  }

  #withDeadline(signal: AbortSignal): { signal: AbortSignal; stop: () => void } {
    const { pull_timeout_secs } = this.#options;
    const late = (): Error =>
      new BoxerError("image_pull_failed", `it took longer than ${pull_timeout_secs} s`);
    return withDeadline(signal, 1000 * pull_timeout_secs, late);
  }

  async #isUnchanged(source: RegistrySource, known: StoredName, signal: AbortSignal): Promise<boolean> {
    const { index } = this.#options;
    const late = (): Error =>
      new BoxerError("image_pull_failed", `no answer within ${RECHECK_TIMEOUT_MS} ms`);
    const deadline = withDeadline(signal, RECHECK_TIMEOUT_MS, late);
    const digest = await source.headManifest(deadline.signal).finally(deadline.stop);
    if (digest !== known.resolved) return false;
    const { reference, resolved, imported } = known;
    return await index.setName(known.image, this.#factsOf(reference, { resolved, imported }));
  }

  async #get(
    source: ImageSource,
    reference: Reference,
    origin: Origin,
    signal: AbortSignal,
    report: Report,
  ): Promise<StoredImage> {
    const { platform, max_image_bytes, builder, index, onArrival, clock, log } = this.#options;
    const deadline = this.#withDeadline(signal);
    const options = { platform, max_image_bytes, clock, signal: deadline.signal };
    const started_at_ms = clock.now();
    try {
      for (;;) {
        const resolved = await resolveImage(source, reference.digest, options);
        report({ type: "resolved", digest: resolved.digest, layers: resolved.layers });
        const image = await builder.build(source, resolved, deadline.signal);
        const facts = this.#factsOf(reference.text, { resolved: resolved.resolved, ...origin });
        if (!(await index.setName(image, facts))) continue;
        onArrival(image);
        const { digest, size_bytes } = image;
        log.info(
          { image: reference.text, digest, size_bytes, duration_ms: clock.now() - started_at_ms },
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

/** Another source may have what this one refuses, does not have, or cannot give. */
function isUnavailable(failure: unknown): failure is BoxerError {
  if (!(failure instanceof BoxerError)) return false;
  return failure.code === "image_not_found" || failure.code === "image_pull_failed";
}

function bothFailed(ofRegistry: BoxerError, ofDaemon: unknown): unknown {
  if (!(ofDaemon instanceof BoxerError)) return ofDaemon;
  const { code } = isUnavailable(ofDaemon) ? ofRegistry : ofDaemon;
  return new BoxerError(code, `registry: ${ofRegistry.message}; Docker daemon: ${ofDaemon.message}`, {
    cause: ofRegistry,
  });
}
