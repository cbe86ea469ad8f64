import { BoxerError } from "../../core/errors.ts";
import type { Compression } from "../unpack/decompress.ts";

interface Format {
  readonly name: Compression | "bzip2" | "xz";
  readonly magic: Buffer;
}

const FORMATS: readonly Format[] = [
  { name: "gzip", magic: Buffer.from("1f8b", "hex") },
  { name: "zstd", magic: Buffer.from("28b52ffd", "hex") },
  { name: "bzip2", magic: Buffer.from("425a68", "hex") },
  { name: "xz", magic: Buffer.from("fd377a585a00", "hex") },
];
/** How many of the first bytes tell the compression. */
export const MAGIC_BYTES = Math.max(...FORMATS.map(({ magic }) => magic.length));

/**
 * How a tar archive is compressed, by its first bytes. Pure.
 * @throws BoxerError `image_invalid` with the bare reason for a compression that we do not read
 */
export function compressionOfBytes(head: Uint8Array): Compression {
  const found = FORMATS.find(({ magic }) => magic.equals(head.subarray(0, magic.length)))?.name ?? "none";
  if (found !== "bzip2" && found !== "xz") return found;
  throw new BoxerError("image_invalid", `it is compressed with ${found}; use gzip, zstd or nothing`);
}

/**
 * Looks at the first bytes of a stream.
 * @returns its compression, and the whole stream, which must be read or ended
 * @throws BoxerError as {@link compressionOfBytes}; errors of `source`
 */
export async function detectCompression(
  source: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; stream: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  try {
    return { compression: compressionOfBytes(head), stream: prepend(head, iterator) };
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
}

async function* prepend(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ended = false;
  try {
    if (head.length > 0) yield head;
    for (;;) {
      const next = await rest.next();
      ended = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Ended also where the consumer stops before the first chunk of the rest.
    if (!ended) await rest.return?.();
  }
}
