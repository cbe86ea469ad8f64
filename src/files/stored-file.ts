import type { FileHandle } from "node:fs/promises";
import type { ByteRange, FileBody } from "../platform/file-body.ts";

/** A file of the store, open for one reader. Its contents never change: an overwrite makes another file. */
export class StoredFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly modified: Date;
  /** Differs from that of any other contents this path ever had; letters, digits and hyphens. */
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #fileBody: FileBody;

  private constructor(
    handle: FileHandle,
    path: string,
    fileBody: FileBody,
    status: { ino: bigint; size: bigint; mtimeNs: bigint },
  ) {
    this.#handle = handle;
    this.#fileBody = fileBody;
    this.path = path;
    this.size_bytes = Number(status.size);
    this.modified = new Date(Number(status.mtimeNs / 1_000_000n));
    this.version = [status.ino, status.size, status.mtimeNs].map((part) => part.toString(36)).join("-");
  }

  /** @param handle becomes the stored file's own */
  static async of(handle: FileHandle, path: string, fileBody: FileBody): Promise<StoredFile> {
    return new StoredFile(handle, path, fileBody, await handle.stat({ bigint: true }));
  }

  /** A part of the file as a response body; closes the file when that was sent or given up. */
  body(range: ByteRange): Promise<BodyInit> {
    return this.#fileBody(this.#handle, range);
  }

  /** Closes the file when no body is wanted of it. */
  close(): Promise<void> {
    return this.#handle.close();
  }
}
