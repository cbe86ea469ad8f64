import { BoxerError } from "../core/errors.ts";
import type { Background } from "./background.ts";
import type { BlobStore } from "./blobs/blob-store.ts";
import type { Clock } from "./clock.ts";
import { isDigest } from "./digest.ts";
import { LayoutSource } from "./layout/layout-source.ts";
import { choosePruned } from "./policy/choose-pruned.ts";
import { findFresh } from "./policy/find-fresh.ts";
import { checkRules } from "./policy/image-rules.ts";
import type { IsProtected } from "./policy/is-protected.ts";
import type { PullBoard } from "./progress/pull-board.ts";
import type { PullStatus } from "./progress/pull-status.ts";
import type { ArchiveImporter } from "./pull/archive-importer.ts";
import type { ImageBuilder } from "./pull/image-builder.ts";
import type { Puller } from "./pull/puller.ts";
import { parseReference, type Reference } from "./reference.ts";
import type { ImageIndex } from "./store/image-index.ts";
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

const CLOSING = "the server is going down";

/** What a store is made of. */
export interface ImageStoreParts {
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

/** The images of one directory: what is missing is pulled, what is in use stays. */
export class LocalImageStore implements ImageStore {
  readonly #parts: ImageStoreParts;
  readonly #closing = new AbortController();

  constructor(parts: ImageStoreParts) {
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
