import { setImmediate } from "node:timers/promises";
import type { Background } from "../background.ts";
import type { Clock } from "../clock.ts";
import type { Digest } from "../digest.ts";
import type { Reference } from "../reference.ts";
import type { Image, ImageLease, ImageSummary, RemoveResult } from "../types.ts";
import type { ImageFiles } from "./image-files.ts";
import {
  type ImageFacts,
  type ImageRecord,
  type NameRecord,
  readImageRecord,
  type UsageRecord,
} from "./records.ts";
import { summaryOf } from "./summary-of.ts";
import { UsageKeeper } from "./usage-keeper.ts";

/** An image on disk, and who has to do with it. */
export interface StoredImage extends ImageFacts {
  readonly names: Map<string, StoredName>;
  leases: number;
  uses: number;
  last_used_at_ms: number | undefined;
  /** Until then it is kept for the pull that has just made it. */
  hasBeenNamed: boolean;
  /** No longer in the index; its files are going or gone. */
  isRemoved: boolean;
}

/** A name on disk, and what it stands for. */
export interface StoredName extends NameRecord {
  readonly image: StoredImage;
  /** The registry could not be asked, and is to be left alone for a while. */
  unreachable?: { readonly reason: string; readonly until_ms: number };
}

/**
 * What the image store has, in memory; the disk follows. An image stays while it has a name or a lease, and goes with
 * the last of them.
 */
export class ImageIndex {
  readonly #files: ImageFiles;
  readonly #clock: Clock;
  readonly #background: Background;
  readonly #usage: UsageKeeper;
  readonly #images = new Map<Digest, StoredImage>();
  readonly #names = new Map<string, StoredName>();
  /** Is told of each image that is removed, at once. */
  readonly removed = new Set<(digest: Digest) => void>();
  /** Changes on disk happen one after the other, in the order in which memory changed. */
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(files: ImageFiles, clock: Clock, background: Background) {
    this.#files = files;
    this.#clock = clock;
    this.#background = background;
    const write = (): Promise<void> => this.#change(() => this.#saveUsage());
    this.#usage = new UsageKeeper({ write, background });
  }

  /** Reads the directory; see {@link ImageFiles.load}. */
  static async open(files: ImageFiles, clock: Clock, background: Background): Promise<ImageIndex> {
    const index = new ImageIndex(files, clock, background);
    const { images, names, usage } = await files.load();
    for (const facts of images) index.#images.set(facts.digest, toStored(facts, usage[facts.digest]));
    for (const record of names) {
      const image = index.#images.get(record.digest);
      if (image) index.#setName({ ...record, image });
    }
    return index;
  }

  /** What a reference's text stands for. */
  name(text: string): StoredName | undefined {
    return this.#names.get(text);
  }

  image(digest: Digest): StoredImage | undefined {
    return this.#images.get(digest);
  }

  /** Bytes of all root file systems. */
  get size_bytes(): number {
    let sum = 0;
    for (const { size_bytes } of this.#images.values()) sum += size_bytes;
    return sum;
  }

  /** Takes an image into use under the name it was asked for by; undefined when it has just been removed. */
  lease(stored: StoredImage, reference: Reference): ImageLease | undefined {
    if (stored.isRemoved) return undefined;
    stored.leases++;
    stored.uses++;
    this.#noteUse(stored);
    let isReleased = false;
    return {
      image: this.view(stored, reference),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        stored.leases--;
        this.#noteUse(stored);
        this.#collect(stored);
      },
    };
  }

  view(stored: StoredImage, reference: Reference): Image {
    const { digest, config, user, size_bytes, rootfs_type } = stored;
    const rootfs = this.#files.rootfsOf(stored);
    return { digest, reference: reference.text, rootfs, rootfs_type, config, user, size_bytes };
  }

  /** Takes an image in, unless it is there already. It has no name yet: the caller gives it one, or leases it. */
  async add(record: ImageRecord, rootfs: string): Promise<StoredImage> {
    return await this.#change(async () => {
      const present = this.#images.get(record.digest);
      if (present) return present;
      await this.#files.addImage(record, rootfs);
      const stored = toStored(readImageRecord(record), undefined);
      this.#images.set(stored.digest, stored);
      return stored;
    });
  }

  /**
   * Lets a name stand for an image from now on. The image it stood for goes, if that was its last name.
   * @returns false when the image has just been removed
   */
  async setName(image: StoredImage, facts: Omit<NameRecord, "version" | "digest">): Promise<boolean> {
    return await this.#change(async () => {
      if (image.isRemoved) return false;
      const record: NameRecord = { version: 1, digest: image.digest, ...facts };
      const before = this.#names.get(record.reference)?.image;
      before?.names.delete(record.reference);
      this.#setName({ ...record, image });
      if (before) this.#collect(before);
      await this.#files.putName(record);
      return true;
    });
  }

  /** Removes a name, and its image with the last one, unless that is in use. */
  async removeName(text: string): Promise<RemoveResult> {
    return await this.#change(async () => {
      const name = this.#names.get(text);
      if (!name) return "not_found";
      if (name.image.names.size === 1 && name.image.leases > 0) return "in_use";
      await this.#dropName(name);
      this.#collect(name.image);
      return "removed";
    });
  }

  /** Removes an image with all its names, unless it is in use. */
  async removeImage(digest: Digest): Promise<RemoveResult> {
    return await this.#change(async () => {
      const image = this.#images.get(digest);
      if (!image) return "not_found";
      if (image.leases > 0) return "in_use";
      await this.#dropImage(image);
      return "removed";
    });
  }

  /**
   * Removes those images that `choose` chooses of all that are here.
   * @returns what was removed: none that somebody uses, or that a pull has just made and is about to use
   */
  async removeUnused(
    choose: (images: readonly ImageSummary[]) => readonly ImageSummary[],
  ): Promise<ImageSummary[]> {
    return await this.#change(async () => {
      // Whoever waited for the pull that ended before this change takes the image into use first.
      await setImmediate();
      const removed: ImageSummary[] = [];
      for (const summary of choose(this.list())) {
        const image = this.#images.get(summary.digest);
        if (!image?.hasBeenNamed || image.leases > 0) continue;
        await this.#dropImage(image);
        removed.push(summary);
      }
      return removed;
    });
  }

  /** Begins to write what is not written yet, in the background. */
  flush(): void {
    this.#usage.flush();
  }

  list(): ImageSummary[] {
    return [...this.#images.values()].map(summaryOf);
  }

  #noteUse(image: StoredImage): void {
    image.last_used_at_ms = this.#clock.now();
    this.#usage.touch();
  }

  async #saveUsage(): Promise<void> {
    const images: UsageRecord["images"] = {};
    for (const { digest, uses, last_used_at_ms } of this.#images.values()) {
      if (last_used_at_ms !== undefined) images[digest] = { uses, last_used_at_ms };
    }
    await this.#files.putUsage({ version: 1, images });
  }

  #setName(name: StoredName): void {
    this.#names.set(name.reference, name);
    name.image.names.set(name.reference, name);
    name.image.hasBeenNamed = true;
  }

  async #dropName(name: StoredName): Promise<void> {
    this.#names.delete(name.reference);
    name.image.names.delete(name.reference);
    await this.#files.removeName(name.reference);
  }

  /** In memory it is gone at once, so that nobody can take it into use while its names go one by one. */
  async #dropImage(image: StoredImage): Promise<void> {
    const names = [...image.names.keys()];
    image.names.clear();
    for (const reference of names) this.#names.delete(reference);
    this.#collect(image);
    for (const reference of names) await this.#files.removeName(reference);
  }

  #collect(image: StoredImage): void {
    if (image.isRemoved || !image.hasBeenNamed || image.names.size > 0 || image.leases > 0) return;
    image.isRemoved = true;
    this.#images.delete(image.digest);
    for (const tell of this.removed) tell(image.digest);
    this.#background.start("remove an image", async () => {
      const rest = await this.#change(() => this.#files.removeImage(image));
      await this.#files.discard(rest);
    });
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(change);
    this.#lastChange = result.catch(() => {});
    return result;
  }
}

function toStored(facts: ImageFacts, usage: UsageRecord["images"][string] | undefined): StoredImage {
  const { uses = 0, last_used_at_ms } = usage ?? {};
  return {
    ...facts,
    leases: 0,
    uses,
    last_used_at_ms,
    names: new Map(),
    hasBeenNamed: false,
    isRemoved: false,
  };
}
