import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Header, Pax } from "tar";
import type { StoreTree } from "./store-tree.ts";

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 128 * 1024;
/** The largest time of a ustar header, eleven octal digits. */
const MAX_MTIME_MS = 1000 * (8 ** 11 - 1);

/**
 * Writes files of a store as a tar archive (pax, POSIX.1-2017), one chunk at a time. Owners are root, the modes those of
 * the files. Each is opened before its header is written, so what is removed meanwhile is either whole in the archive or
 * not there.
 * @param paths of the files, in the order of the archive
 * @param nameOf what a file is called in the archive: relative, without `..`
 */
export async function* archiveFiles(
  tree: StoreTree,
  paths: AsyncIterable<string>,
  nameOf: (path: string) => string,
): AsyncGenerator<Uint8Array> {
  for await (const path of paths) {
    const file = await tree.open(path);
    if (!file) continue;
    try {
      const status = await file.stat();
      yield headerOf(nameOf(path), status);
      yield* contentsOf(file, status.size);
    } finally {
      await file.close();
    }
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

function headerOf(path: string, { size, mode, mtimeMs }: Stats): Uint8Array {
  // A guest may have set the time to anything.
  const mtime = new Date(1000 * Math.floor(Math.min(Math.max(mtimeMs, 0), MAX_MTIME_MS) / 1000));
  const header = new Header({ path, size, mode: mode & 0o777, mtime, uid: 0, gid: 0, type: "File" });
  const block = Buffer.alloc(BLOCK_BYTES);
  header.encode(block);
  if (!header.needPax) return block;
  return Buffer.concat([new Pax({ path, size, mtime }).encode(), block]);
}

/** Exactly `size` bytes and the zeros up to the next block; zeros too for what should not be there after all. */
async function* contentsOf(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  while (position < size) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, position);
    const taken = bytesRead === 0 ? chunk.byteLength : bytesRead;
    yield chunk.subarray(0, taken);
    position += taken;
  }
  const rest = size % BLOCK_BYTES;
  if (rest > 0) yield new Uint8Array(BLOCK_BYTES - rest);
}
