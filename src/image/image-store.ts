import type { Logger } from "pino";
import { BoxerError, errnoOf, messageOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { Background } from "./background.ts";
import { BlobStore } from "./blobs/blob-store.ts";
import { type Clock, systemClock } from "./clock.ts";
import { isDigest } from "./digest.ts";
import { ImageBuilder } from "./pull/image-builder.ts";
import { Puller } from "./pull/puller.ts";
import { parseReference, type Reference } from "./reference.ts";
import { Semaphore } from "./semaphore.ts";
import { ImageFiles } from "./store/image-files.ts";
import { ImageIndex, type StoredImage } from "./store/image-index.ts";
import type {
  Image,
  ImageLease,
  ImageStore,
  ImageStoreConfig,
  ImageSummary,
  PullPolicy,
  RemoveResult,
} from "./types.ts";

export interface ImageStoreOptions {
  /** Directory that is the store's alone, of one process at a time. */
  readonly root: string;
  readonly platform: Platform;
  readonly config: ImageStoreConfig;
  readonly log: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Images unpacked or packed at the same time. */
const MAX_PARALLEL_UNPACKS = 2;
const CLOSING = "the server is going down";

/**
 * Opens the store in `root`, makes the directory if need be, and removes what a killed process has left there.
 * @throws system errors, when the directory cannot be used
 */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { root, platform, config, log, clock = systemClock, env = process.env } = options;
  const background = new Background(log);
  const files = new ImageFiles(root, log);
  const index = await ImageIndex.open(files, clock, background);
  const { tmp } = files;
  const { max_parallel_downloads } = config;
  const blobs = new BlobStore({ directory: files.blobs, tmp, max_parallel_downloads, clock });
  const unpackSlots = new Semaphore(MAX_PARALLEL_UNPACKS);
  const builder = new ImageBuilder({
    ...config,
    platform,
    tmp,
    blobs,
    unpackSlots,
    background,
    index,
    clock,
  });
  const registry = { ...config, platform, env, log, clock };
  const puller = new Puller({ ...config, registry, index, builder, clock, log });
  return new Store({ config, clock, index, puller, builder, blobs, background });
}

interface StoreParts {
  readonly config: ImageStoreConfig;
  readonly clock: Clock;
  readonly index: ImageIndex;
  readonly puller: Puller;
  readonly builder: ImageBuilder;
  readonly blobs: BlobStore;
  readonly background: Background;
}

class Store implements ImageStore {
  readonly #parts: StoreParts;
  readonly #closing = new AbortController();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async acquire(
    text: string,
    { signal, pull = "missing" }: { signal: AbortSignal; pull?: PullPolicy },
  ): Promise<ImageLease> {
    const reference = parseReference(text);
    signal.throwIfAborted();
    const cached = this.#findFresh(reference, pull);
    const lease = cached && this.#parts.index.lease(cached, reference);
    return lease ?? (await this.#pullAndLease(reference, pull, signal));
  }

  async importLayout(directory: string, text: string): Promise<Image> {
    const reference = parseReference(text);
    const { signal } = this.#closing;
    try {
      return this.#parts.index.view(await this.#parts.puller.import(directory, reference, signal), reference);
    } catch (error) {
      throw toBoxerError(`Cannot import ${reference.text} from ${directory}`, error);
    }
  }

  list(): readonly ImageSummary[] {
    return this.#parts.index.list();
  }

  async remove(referenceOrDigest: string): Promise<RemoveResult> {
    const { index } = this.#parts;
    if (isDigest(referenceOrDigest)) return await index.removeImage(referenceOrDigest);
    return await index.removeName(parseReference(referenceOrDigest).text);
  }

  async close(): Promise<void> {
    const reason = new BoxerError("draining", CLOSING);
    this.#closing.abort(reason);
    const { puller, builder, blobs, background } = this.#parts;
    await puller.close(reason);
    await builder.close(reason);
    await blobs.close(reason);
    await background.settled();
  }

  /** The image that is here, if it is good enough for the policy; looks at nothing but memory. */
  #findFresh(reference: Reference, pull: PullPolicy): StoredImage | undefined {
    const { index, clock, config } = this.#parts;
    const name = index.name(reference.text);
    // By digest an image is the same under any name.
    const image = name?.image ?? (reference.digest && index.image(reference.digest));
    if (!name || reference.digest || reference.local || pull === "never") return image;
    if (pull === "always") return undefined;
    if (name.imported) return image;
    const now_ms = clock.now();
    if (name.unreachable && now_ms < name.unreachable.until_ms) return image;
    const age_ms = now_ms - name.checked_at_ms;
    // A clock that was put back would keep a tag for ever.
    return age_ms >= 0 && age_ms < 1000 * config.image_tag_ttl_secs ? image : undefined;
  }

  async #pullAndLease(reference: Reference, pull: PullPolicy, signal: AbortSignal): Promise<ImageLease> {
    if (reference.local || pull === "never") throw notHere(reference);
    try {
      for (;;) {
        const { image, failure } = await this.#parts.puller.pull(reference, signal);
        if (failure !== undefined && pull === "always") throw failure;
        const lease = this.#parts.index.lease(image, reference);
        if (lease) return lease;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw toBoxerError(`Cannot pull ${reference.text}`, error);
    }
  }
}

function notHere({ text, local }: Reference): BoxerError {
  const how = local
    ? "names under local/ are never pulled; import an OCI image layout under this name"
    : "it is not here, and the request says not to pull";
  return new BoxerError("image_not_found", `Cannot find image ${text}: ${how}`);
}

/** One for each caller, since the pull that failed may have been shared. */
function toBoxerError(what: string, error: unknown): BoxerError {
  if (error instanceof BoxerError) {
    return new BoxerError(error.code, `${what}: ${error.message}`, { cause: error });
  }
  const errno = errnoOf(error);
  const isFull = errno === "ENOSPC" || errno === "EDQUOT";
  // The message of a system error shows paths of the host.
  const why = isFull ? "no space left" : (errno ?? messageOf(error));
  return new BoxerError(isFull ? "disk_full" : "internal", `${what}: ${why}`, { cause: error });
}
