import { openAsBlob } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Part of a file. */
export interface ByteRange {
  /** Offset of its first byte. */
  readonly start: number;
  readonly length: number;
}

/**
 * Makes a response body of a part of an open file, without ever holding more than a little of it in memory. Takes the
 * handle over: it is closed when it is no longer needed, also when the client goes away.
 * @param range lies within the file, which does not change
 */
export type FileBody = (file: FileHandle, range: ByteRange) => Promise<BodyInit>;

const CHUNK_BYTES = 64 * 1024;
const OPENED_BY_THEN_MS = 1000;

/** The {@link FileBody} of a runtime that sends a stream with the Content-Length it is given. */
export const streamedFileBody: FileBody = async (file, { start, length }) => {
  let position = start;
  const end = start + length;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - position));
        const { bytesRead } = await readOrClose(file, chunk, position);
        position += bytesRead;
        if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
        if (bytesRead > 0 && position < end) return;
        controller.close();
        await file.close();
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
};

async function readOrClose(
  file: FileHandle,
  chunk: Uint8Array,
  position: number,
): Promise<{ bytesRead: number }> {
  try {
    return await file.read(chunk, 0, chunk.byteLength, position);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The {@link FileBody} of a runtime that sends every stream chunked, whatever Content-Length it is given, and only a file
 * of its own with one. It opens that file itself, and by path, when it begins to answer; until then ours must stay open
 * for its path in proc(5).
 */
export const lazyFileBody: FileBody = async (file, { start, length }) => {
  const blob = await openAsBlob(`/proc/self/fd/${file.fd}`);
  setTimeout(() => void file.close(), OPENED_BY_THEN_MS).unref();
  return blob.slice(start, start + length);
};
