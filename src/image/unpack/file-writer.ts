import { closeSync, constants, openSync, write, writeSync } from "node:fs";
import { applyMetadataToFile } from "./apply-metadata.ts";
import type { EntryMetadata } from "./layer-entry.ts";

/**
 * Files up to this size are written synchronously, which is several times faster and takes the event loop less than a
 * millisecond; what is larger may meet a disk that makes its writers wait.
 */
const MAX_SYNC_BYTES = 256 * 1024;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A new file of a layer, from its creation to its last byte. One of `finish` and `abandon` closes it. */
export class FileWriter {
  readonly #fd: number;
  readonly #metadata: EntryMetadata;
  readonly #sync: boolean;

  /** @throws EEXIST when the name is taken, by a link as well, and other errors of open(2) */
  constructor(path: string, size_bytes: number, metadata: EntryMetadata) {
    this.#fd = openSync(path, CREATE, 0o600);
    this.#metadata = metadata;
    this.#sync = size_bytes <= MAX_SYNC_BYTES;
  }

  /** Appends; `bytes` may be reused once it has settled, or at once when there is nothing to wait for. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#sync) return this.#writeAll(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    return undefined;
  }

  finish(): void {
    try {
      applyMetadataToFile(this.#fd, this.#metadata);
    } finally {
      closeSync(this.#fd);
    }
  }

  abandon(): void {
    closeSync(this.#fd);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += await this.#writeSome(bytes, done);
  }

  #writeSome(bytes: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) =>
        error ? reject(error) : resolve(written),
      );
    });
  }
}
