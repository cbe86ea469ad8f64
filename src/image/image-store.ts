import type { Logger } from "pino";
import { BoxerError } from "../core/errors.ts";
import { diskQuota } from "../platform/disk-quota.ts";
import type { Platform } from "../platform/platform.ts";
import { Background } from "./background.ts";
import { BlobStore } from "./blobs/blob-store.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DaemonImages } from "./daemon/daemon-images.ts";
import { DockerDaemon } from "./daemon/docker-daemon.ts";
import { isDigest } from "./digest.ts";
import { LayoutSource } from "./layout/layout-source.ts";
import { choosePruned } from "./policy/choose-pruned.ts";
import { findFresh } from "./policy/find-fresh.ts";
import { checkRules } from "./policy/image-rules.ts";
import { type IsProtected, protectionOf } from "./policy/is-protected.ts";
import { PullBoard } from "./progress/pull-board.ts";
import type { PullStatus } from "./progress/pull-status.ts";
import { ArchiveImporter } from "./pull/archive-importer.ts";
import { ImageBuilder } from "./pull/image-builder.ts";
import { Puller } from "./pull/puller.ts";
import { parseReference, type Reference } from "./reference.ts";
import { Semaphore } from "./semaphore.ts";
import { ImageFiles } from "./store/image-files.ts";
import { ImageIndex, type StoredImage } from "./store/image-index.ts";
import { Quota } from "./store/quota.ts";
import { toBoxerError } from "./to-boxer-error.ts";
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
/** What images may take of the room that there is, so that uploads, outputs and the host's own have the rest. */
const DISK_SHARE = 0.8;
const CLOSING = "the server is going down";

/**
 * Opens the store in `root`, makes the directory if need be, and removes what a killed process has left there.
 * @throws system errors, when the directory cannot be used
 */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { root, platform, config, log, clock = systemClock, env = process.env } = options;
  const background = new Background(log);
  const files = new ImageFiles(root, platform, log);
  const index = await ImageIndex.open(files, clock, background);
  const { tmp } = files;
  const board = new PullBoard({ clock, log });
  const { max_parallel_downloads } = config;
  const blobs = new BlobStore({
    directory: files.blobs,
    tmp,
    max_parallel_downloads,
    clock,
    onProgress: (blob, downloaded_bytes) => board.reportBlob(blob, downloaded_bytes),
  });
  const unpackSlots = new Semaphore(MAX_PARALLEL_UNPACKS);
  const builder = new ImageBuilder({
    ...config,
    platform,
    tmp,
    blobs,
    unpackSlots,
    background,
    board,
    index,
    clock,
    log,
  });
  const isProtected = protectionOf(config.images_prepull);
  const quota_bytes = await diskQuota(config.images_quota_bytes, DISK_SHARE, root, index.size_bytes);
  const quota = new Quota({ quota_bytes, index, isProtected, background, log });
  const onArrival = ({ digest }: StoredImage): void => quota.enforce(digest);
  const registry = { ...config, platform, env, log, clock };
  const archives = { ...config, tmp, clock, log };
  const { docker_socket } = config;
  const daemon = docker_socket ? new DaemonImages(new DockerDaemon(docker_socket), archives) : undefined;
  const puller = new Puller({ ...config, registry, index, builder, daemon, board, onArrival, clock, log });
  const admit = (reference: Reference): void => checkRules(reference, config);
  const importer = new ArchiveImporter({ ...archives, puller, admit });
  quota.enforce();
  return new Store({
    config,
    clock,
    index,
    puller,
    importer,
    builder,
    blobs,
    background,
    board,
    isProtected,
    quota_bytes,
  });
}

interface StoreParts {
  readonly config: ImageStoreConfig;
  readonly clock: Clock;
  readonly index: ImageIndex;
  readonly puller: Puller;
  readonly importer: ArchiveImporter;
  readonly builder: ImageBuilder;
  readonly blobs: BlobStore;
  readonly background: Background;
  readonly board: PullBoard;
  readonly isProtected: IsProtected;
  readonly quota_bytes: number;
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
    const reference = this.#admit(text);
    signal.throwIfAborted();
    const { index, clock, config } = this.#parts;
    const cached = findFresh(index, reference, pull, { clock, ...config });
    const lease = cached && index.lease(cached, reference);
    return lease ?? (await this.#pullAndLease(reference, pull, signal));
  }

  async importLayout(directory: string, text: string): Promise<Image> {
    const reference = this.#admit(text);
    const { signal } = this.#closing;
    try {
      const source = new LayoutSource(directory, reference);
      return this.#parts.index.view(await this.#parts.puller.import(source, reference, signal), reference);
    } catch (error) {
      throw toBoxerError(`Cannot import ${reference.text} from ${directory}`, error);
    }
  }

  async importArchive(
    stream: AsyncIterable<Uint8Array>,
    text: string | undefined,
    { signal }: { signal: AbortSignal },
  ): Promise<Image> {
    const wanted = text === undefined ? undefined : this.#admit(text);
    const { importer, index } = this.#parts;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      const { image, reference } = await importer.import(stream, wanted, either);
      return index.view(image, reference);
    } catch (error) {
      signal.throwIfAborted();
      throw toBoxerError(`Cannot import ${wanted?.text ?? "the archive"}`, error);
    }
  }

  list(): readonly ImageSummary[] {
    return this.#parts.index.list();
  }

  pulls(): readonly PullStatus[] {
    return this.#parts.board.pulls();
  }

  watchPull(text: string, signal: AbortSignal): AsyncIterable<PullStatus> {
    return this.#parts.board.watch(parseReference(text).text, signal);
  }

  onRemoved(listener: (digest: string) => void): void {
    this.#parts.index.removed.add(listener);
  }

  usage(): { size_bytes: number; quota_bytes: number } {
    const { index, quota_bytes } = this.#parts;
    return { size_bytes: index.size_bytes, quota_bytes };
  }

  async remove(referenceOrDigest: string): Promise<RemoveResult> {
    const { index } = this.#parts;
    if (isDigest(referenceOrDigest)) return await index.removeImage(referenceOrDigest);
    return await index.removeName(parseReference(referenceOrDigest).text);
  }

  async prune(options: { unused_for_ms: number; all: boolean }): Promise<readonly ImageSummary[]> {
    const { index, clock, isProtected } = this.#parts;
    const { unused_for_ms, all } = options;
    return await index.removeUnused((images) =>
      choosePruned(images, {
        now_ms: clock.now(),
        unused_for_ms,
        isProtected: all ? () => false : isProtected,
      }),
    );
  }

  drain(): void {
    this.#closing.abort(new BoxerError("draining", CLOSING));
  }

  async close(): Promise<void> {
    this.drain();
    const reason = this.#closing.signal.reason;
    const { puller, importer, builder, blobs, index, background } = this.#parts;
    await puller.close(reason);
    await importer.settled();
    await builder.close(reason);
    await blobs.close(reason);
    index.flush();
    await background.settled();
  }

  #admit(text: string): Reference {
    const reference = parseReference(text);
    checkRules(reference, this.#parts.config);
    return reference;
  }

  async #pullAndLease(reference: Reference, pull: PullPolicy, signal: AbortSignal): Promise<ImageLease> {
    if (reference.local || pull === "never") throw notHere(reference);
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      for (;;) {
        const { image, failure } = await this.#parts.puller.pull(reference, either);
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
    ? "names under local/ are never pulled; import an OCI image layout or an archive under this name"
    : "it is not here, and the request says not to pull";
  return new BoxerError("image_not_found", `Cannot find image ${text}: ${how}`);
}
