import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { errnoOf, messageOf } from "../../core/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import { removeTree } from "../../platform/remove-tree.ts";
import { type Digest, digestOf, splitDigest } from "../digest.ts";
import {
  type ImageFacts,
  type ImageRecord,
  type NameRecord,
  parseImageRecord,
  parseNameRecord,
  parseUsageRecord,
  type UsageRecord,
} from "./records.ts";

/**
 * The image store's directory. Everything is written in `tmp` and renamed, and in an order in which a process killed
 * in between leaves nothing but leftovers that {@link ImageFiles.load} removes: an image's root file system before
 * its record, the record before the names.
 */
export class ImageFiles {
  readonly tmp: string;
  readonly blobs: string;
  readonly #images: string;
  readonly #rootfs: string;
  readonly #names: string;
  readonly #usage: string;
  readonly #platform: Pick<Platform, "spawn">;
  readonly #log: Logger;

  constructor(root: string, platform: Pick<Platform, "spawn">, log: Logger) {
    this.tmp = join(root, "tmp");
    this.blobs = join(root, "blobs");
    this.#images = join(root, "images");
    this.#rootfs = join(root, "rootfs");
    this.#names = join(root, "references");
    this.#usage = join(root, "usage.json");
    this.#platform = platform;
    this.#log = log;
  }

  /** Makes the directories, removes what a killed process has left, and reads what is whole. */
  async load(): Promise<{ images: ImageFacts[]; names: NameRecord[]; usage: UsageRecord["images"] }> {
    await removeTree(this.tmp, this.#platform);
    await removeTree(this.blobs, this.#platform);
    const directories = [this.tmp, this.#images, this.#rootfs, this.#names];
    const blobs = [join(this.blobs, "sha256"), join(this.blobs, "sha512")];
    for (const directory of [...directories, ...blobs]) {
      // Images are unpacked here with their setuid bits: no other user may come by.
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await chmod(directory, 0o700);
    }
    const images = await this.#loadImages();
    const digests = new Set(images.map((image) => image.digest));
    const names = await this.#loadNames(digests);
    return { images: await this.#dropNameless(images, names), names, usage: await this.#loadUsage() };
  }

  /** Path of the root file system of an image. A directory is alone in another, as an overlay needs it. */
  rootfsOf(image: Pick<ImageFacts, "digest" | "rootfs_type">): string {
    return image.rootfs_type === "erofs" ? this.#placeOf(image) : join(this.#placeOf(image), "rootfs");
  }

  /** Takes an image in: `rootfs`, an EROFS file or the parent directory of `rootfs`, in `tmp`, is moved. */
  async addImage(record: ImageRecord, rootfs: string): Promise<void> {
    const { digest, rootfs_type = "erofs" } = record;
    await rename(rootfs, this.#placeOf({ digest, rootfs_type }));
    try {
      await this.#write(this.#recordOf(digest), record);
    } catch (error) {
      // Unlike a file, a directory would be in the way of the next try.
      await this.discard(await this.removeImage({ digest, rootfs_type }));
      throw error;
    }
  }

  /**
   * Takes an image out, at once also where its files are many.
   * @returns path of what is left of it, for {@link discard}
   */
  async removeImage(image: Pick<ImageFacts, "digest" | "rootfs_type">): Promise<string> {
    const rest = join(this.tmp, `removed-${crypto.randomUUID()}`);
    await rm(this.#recordOf(image.digest), { force: true });
    await rename(this.#placeOf(image), rest).catch(ignoreAbsence);
    return rest;
  }

  /** Removes what {@link removeImage} has left. */
  async discard(rest: string): Promise<void> {
    await removeTree(rest, this.#platform);
  }

  async putName(record: NameRecord): Promise<void> {
    await this.#write(this.#nameOf(record.reference), record);
  }

  async removeName(reference: string): Promise<void> {
    await rm(this.#nameOf(reference), { force: true });
  }

  async putUsage(record: UsageRecord): Promise<void> {
    await this.#write(this.#usage, record);
  }

  async #loadUsage(): Promise<UsageRecord["images"]> {
    try {
      return parseUsageRecord(await readFile(this.#usage, "utf8")).images;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") await this.#drop(this.#usage, messageOf(error));
      return {};
    }
  }

  async #loadImages(): Promise<ImageFacts[]> {
    const images: ImageFacts[] = [];
    const kept = new Set<string>();
    for (const { path, value } of await this.#read(this.#images, parseImageRecord)) {
      const rootfs = this.rootfsOf(value);
      if (path === this.#recordOf(value.digest) && (await isWhole(rootfs, value))) {
        images.push(value);
        kept.add(this.#placeOf(value));
      } else {
        await this.#drop(path, "its root file system is not there or of another size");
      }
    }
    for (const file of await readdir(this.#rootfs)) {
      const path = join(this.#rootfs, file);
      if (!kept.has(path)) await this.#drop(path, "no image has it");
    }
    return images.sort((a, b) => a.pulled_at_ms - b.pulled_at_ms);
  }

  async #loadNames(images: ReadonlySet<Digest>): Promise<NameRecord[]> {
    const names: NameRecord[] = [];
    for (const { path, value } of await this.#read(this.#names, parseNameRecord)) {
      if (path === this.#nameOf(value.reference) && images.has(value.digest)) names.push(value);
      else await this.#drop(path, "its image is not there");
    }
    return names;
  }

  async #dropNameless(images: readonly ImageFacts[], names: readonly NameRecord[]): Promise<ImageFacts[]> {
    const named = new Set(names.map((name) => name.digest));
    for (const image of images.filter(({ digest }) => !named.has(digest))) {
      this.#log.info({ digest: image.digest }, "removing an image that has no name");
      await this.discard(await this.removeImage(image));
    }
    return images.filter((image) => named.has(image.digest));
  }

  /** All records of a directory; those that are damaged are removed. */
  async #read<T>(directory: string, parse: (text: string) => T): Promise<{ path: string; value: T }[]> {
    const values: { path: string; value: T }[] = [];
    for (const file of await readdir(directory)) {
      const path = join(directory, file);
      try {
        values.push({ path, value: parse(await readFile(path, "utf8")) });
      } catch (error) {
        await this.#drop(path, messageOf(error));
      }
    }
    return values;
  }

  async #drop(path: string, reason: string): Promise<void> {
    this.#log.warn({ path, reason }, "removing a leftover of the image store");
    await removeTree(path, this.#platform);
  }

  async #write(path: string, value: unknown): Promise<void> {
    const beside = join(this.tmp, `record-${crypto.randomUUID()}`);
    try {
      await writeFile(beside, JSON.stringify(value), { flag: "wx", mode: 0o600 });
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  #placeOf({ digest, rootfs_type }: Pick<ImageFacts, "digest" | "rootfs_type">): string {
    return join(this.#rootfs, `${splitDigest(digest).hex}${rootfs_type === "erofs" ? ".erofs" : ""}`);
  }

  #recordOf(digest: Digest): string {
    return join(this.#images, `${splitDigest(digest).hex}.json`);
  }

  /** References hold characters that file names cannot, and may be longer; their hash is as good. */
  #nameOf(reference: string): string {
    return join(this.#names, `${splitDigest(digestOf(reference)).hex}.json`);
  }
}

/** Whether a root file system is there as its record says. A directory comes by a rename, when all of it is there. */
async function isWhole(path: string, { rootfs_type, size_bytes }: ImageFacts): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (rootfs_type === "directory") return found?.isDirectory() === true;
  return found?.isFile() === true && found.size === size_bytes;
}

function ignoreAbsence(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}
