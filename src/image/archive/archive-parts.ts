import { posix } from "node:path";
import { BoxerError } from "../../core/errors.ts";
import { type Digest, isDigest } from "../digest.ts";
import { printable } from "../printable.ts";

/** A file of an archive, stored by its digest. */
export interface ArchivePart {
  readonly digest: Digest;
  readonly size_bytes: number;
  /** Its first bytes, which tell the compression. */
  readonly head: Uint8Array;
}

const BLOB = /^blobs\/(sha256\/[0-9a-f]{64}|sha512\/[0-9a-f]{128})$/;
/** Index and manifest, and what Docker's manifest names: configs and layers, as the writers of such archives call them. */
const PART =
  /^(?:oci-layout|sha256:[0-9a-f]{64}|[\w.:-]{1,200}\.(?:json|tar|tar\.gz|tar\.zst)|[\w.:-]{1,200}\/layer\.tar)$/;
/** Only layers come as links: several images of one archive share them. */
const LINK = /^[\w.:-]{1,200}\/layer\.tar$|^[\w.:-]{1,200}\.tar$/;
/** An image has 512 layers at most; archives with hundreds of images are not what this is for. */
const MAX_PARTS = 10_000;
const MAX_LINK_DEPTH = 8;

/** Whether a file of this name can be part of an image; anything else in an archive is passed over. Pure. */
export function isPart(name: string): boolean {
  return BLOB.test(name) || PART.test(name);
}

/** The digest that a file's name promises, or undefined for a name that promises none. Pure. */
export function promisedDigest(name: string): Digest | undefined {
  const digest = BLOB.exec(name)?.[1]?.replace("/", ":");
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

/** The files of an archive by name. Links are looked up here and nowhere else: none is ever made on disk. */
export class ArchiveParts {
  readonly #parts = new Map<string, ArchivePart>();
  readonly #links = new Map<string, string>();
  readonly #sizes = new Map<Digest, number>();

  /** @throws BoxerError `image_invalid` with the bare reason, when the name is taken or there are too many */
  add(name: string, part: ArchivePart): void {
    this.#claim(name);
    this.#parts.set(name, part);
    this.#sizes.set(part.digest, part.size_bytes);
  }

  /**
   * @param target relative to the link's own directory
   * @throws BoxerError as `add`; also for a link that is no layer or leads out of the archive
   */
  addLink(name: string, target: string): void {
    const path = posix.join(posix.dirname(name), target);
    if (!LINK.test(name) || posix.isAbsolute(target) || !isPart(path)) {
      throw invalidPart(
        name,
        `it is a link to "${printable(target, 100)}", and only layers may be links to layers`,
      );
    }
    this.#claim(name);
    this.#links.set(name, path);
  }

  /** The file of a name, links followed; undefined when there is none. */
  find(name: string): ArchivePart | undefined {
    let path = posix.normalize(name);
    for (let depth = 0; depth < MAX_LINK_DEPTH; depth++) {
      const target = this.#links.get(path);
      if (target === undefined) return this.#parts.get(path);
      path = target;
    }
    return undefined;
  }

  /** Size of the content with this digest in bytes; undefined when the archive has none. */
  sizeOf(digest: Digest): number | undefined {
    return this.#sizes.get(digest);
  }

  #claim(name: string): void {
    // What is there twice would be one thing to us and another to the next reader.
    if (this.#parts.has(name) || this.#links.has(name)) throw invalidPart(name, "it is there twice");
    if (this.#parts.size + this.#links.size === MAX_PARTS) {
      throw new BoxerError("image_invalid", `the archive has more than ${MAX_PARTS} files of images`);
    }
  }
}

/** The error for one file of an archive; `reason` ends the sentence. */
export function invalidPart(name: string, reason: string): BoxerError {
  return new BoxerError("image_invalid", `cannot take "${printable(name, 100)}" of the archive: ${reason}`);
}
