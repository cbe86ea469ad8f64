import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleanupStack } from "../../core/cleanup-stack.ts";
import type { Clock } from "../clock.ts";
import { type Digest, splitDigest } from "../digest.ts";
import type { Descriptor, ImageSource } from "../image-source.ts";
import { Semaphore } from "../semaphore.ts";
import { SharedFlights } from "../shared-flights.ts";
import { streamBlob } from "./stream-blob.ts";

export interface BlobStoreOptions {
  /** Holds a directory for each digest algorithm. */
  readonly directory: string;
  /** On the same file system. */
  readonly tmp: string;
  readonly max_parallel_downloads: number;
  readonly clock: Clock;
  /** Told of the bytes of a blob that are here, often. */
  readonly onProgress: (blob: Digest, downloaded_bytes: number) => void;
}

/**
 * Layers on their way into a root file system, by digest. A blob is there for as long as somebody holds it: what
 * lasts is the root file system, and keeping the layers as well would double the disk for the sake of images that
 * share some and are pulled later.
 */
export class BlobStore {
  readonly #options: BlobStoreOptions;
  readonly #slots: Semaphore;
  readonly #downloads = new SharedFlights<void>();
  readonly #holders = new Map<Digest, number>();
  readonly #present = new Set<Digest>();
  readonly #removals = new Map<Digest, Promise<void>>();

  constructor(options: BlobStoreOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.max_parallel_downloads);
  }

  /** Keeps a blob, here already or to come, until the function returned is called, once. */
  hold(digest: Digest): () => void {
    this.#holders.set(digest, (this.#holders.get(digest) ?? 0) + 1);
    return () => {
      const left = (this.#holders.get(digest) ?? 0) - 1;
      if (left > 0) this.#holders.set(digest, left);
      else this.#drop(digest);
    };
  }

  /**
   * The path of a blob that the caller holds, whole and verified, downloaded unless it is here.
   * @throws BoxerError `image_pull_failed` with the bare reason; system errors; the signal's reason
   */
  async fetch(source: ImageSource, blob: Descriptor, signal: AbortSignal): Promise<string> {
    if (!this.#present.has(blob.digest)) {
      // The size is of the manifest's saying, so that two manifests may differ in it.
      const key = `${blob.digest} ${blob.size_bytes}`;
      await this.#downloads.joinOrRetry(key, signal, (shared) =>
        this.#slots.run(() => this.#download(source, blob, shared), shared),
      );
    }
    return this.#pathOf(blob.digest);
  }

  /** Aborts the downloads and waits for them and for removals. */
  async close(reason: Error): Promise<void> {
    await this.#downloads.close(reason);
    await Promise.all(this.#removals.values());
  }

  async #download(source: ImageSource, blob: Descriptor, signal: AbortSignal): Promise<void> {
    const { tmp, clock, onProgress } = this.#options;
    const beside = join(tmp, `blob-${crypto.randomUUID()}`);
    const cleanup = new CleanupStack(() => {});
    try {
      const file = await open(beside, "wx", 0o600);
      cleanup.defer("partial blob", () => rm(beside, { force: true }));
      cleanup.defer("blob file", () => file.close());
      let downloaded_bytes = 0;
      onProgress(blob.digest, downloaded_bytes);
      for await (const chunk of streamBlob(source, blob, { clock, signal })) {
        await file.writeFile(chunk);
        downloaded_bytes += chunk.length;
        onProgress(blob.digest, downloaded_bytes);
      }
      await this.#removals.get(blob.digest);
      await rename(beside, this.#pathOf(blob.digest));
      this.#present.add(blob.digest);
    } finally {
      await cleanup.run();
    }
    // All who wanted it went away while it was being renamed.
    if (!this.#holders.has(blob.digest)) this.#drop(blob.digest);
  }

  #drop(digest: Digest): void {
    this.#holders.delete(digest);
    if (!this.#present.delete(digest)) return;
    const removal = rm(this.#pathOf(digest), { force: true })
      .catch(() => {})
      .finally(() => this.#removals.delete(digest));
    this.#removals.set(digest, removal);
  }

  #pathOf(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#options.directory, algorithm, hex);
  }
}
