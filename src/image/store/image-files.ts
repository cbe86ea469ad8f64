import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { errnoOf, messageOf } from "../../core/errors.ts";
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
  readonly #log: Logger;

  constructor(root: string, log: Logger) {
    this.tmp = join(root, "tmp");
    this.blobs = join(root, "blobs");
    this.#images = join(root, "images");
    this.#rootfs = join(root, "rootfs");
    this.#names = join(root, "references");
    this.#usage = join(root, "usage.json");
    this.#log = log;
  }

  /** Makes the directories, removes what a killed process has left, and reads what is whole. */
  async load(): Promise<{ images: ImageFacts[]; names: NameRecord[]; usage: UsageRecord["images"] }> {
    await rm(this.tmp, { recursive: true, force: true });
    await rm(this.blobs, { recursive: true, force: true });
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

  /** Path of the root file system of an image. */
  rootfsOf(digest: Digest): string {
    return join(this.#rootfs, `${splitDigest(digest).hex}.erofs`);
  }

  /** Takes an image in: `rootfs`, a file in `tmp`, is moved. */
  async addImage(record: ImageRecord, rootfs: string): Promise<void> {
    await rename(rootfs, this.rootfsOf(record.digest));
    await this.#write(this.#recordOf(record.digest), record);
  }

  async removeImage(digest: Digest): Promise<void> {
    await rm(this.#recordOf(digest), { force: true });
    await rm(this.rootfsOf(digest), { force: true });
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
      const size = await stat(this.rootfsOf(value.digest)).then(
        (found) => found.size,
        () => undefined,
      );
      if (path === this.#recordOf(value.digest) && size === value.size_bytes) {
        images.push(value);
        kept.add(this.rootfsOf(value.digest));
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
    for (const { digest } of images.filter((image) => !named.has(image.digest))) {
      this.#log.info({ digest }, "removing an image that has no name");
      await this.removeImage(digest);
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
    await rm(path, { recursive: true, force: true });
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

  #recordOf(digest: Digest): string {
    return join(this.#images, `${splitDigest(digest).hex}.json`);
  }

  /** References hold characters that file names cannot, and may be longer; their hash is as good. */
  #nameOf(reference: string): string {
    return join(this.#names, `${splitDigest(digestOf(reference)).hex}.json`);
  }
}
