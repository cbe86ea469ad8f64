import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError } from "../core/errors.ts";
import { diskFault } from "./disk-fault.ts";

/**
 * Mode of every uploaded file. It shows in the guest, which sees the very inode: others may read it, for the guest is
 * not its owner, and execute it, for a form cannot say which uploads are scripts. No one in the guest can write to it.
 */
const FILE_MODE = 0o755;

/** A whole file in the staging directory. */
export interface TemporaryFile {
  readonly path: string;
  readonly size_bytes: number;
}

/**
 * Writes a stream to a new file. Holds one chunk in memory; leaves nothing behind when it fails.
 * @param staging directory for the file, which gets a random name
 * @param fsync brings it onto the disk (fsync(2)) before it is given out
 * @throws BoxerError `payload_too_large` past the limit, `disk_full`; whatever the source throws
 */
export async function stageFile(
  staging: string,
  source: AsyncIterable<Uint8Array>,
  limit_bytes: number,
  fsync: boolean,
): Promise<TemporaryFile> {
  const path = join(staging, randomUUID());
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      const size_bytes = await copy(source, handle, limit_bytes);
      await handle.chmod(FILE_MODE);
      if (fsync) await handle.sync();
      return { path, size_bytes };
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw diskFault(error);
  }
}

async function copy(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  limit_bytes: number,
): Promise<number> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit_bytes) {
      const message = `The upload is larger than ${limit_bytes} bytes (upload_limit_bytes)`;
      throw new BoxerError("payload_too_large", message, { field: "file" });
    }
    for (let written = 0; written < chunk.byteLength; ) {
      written += (await handle.write(chunk, written)).bytesWritten;
    }
  }
  return size;
}
