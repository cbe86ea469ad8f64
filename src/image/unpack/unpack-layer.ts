import { complaintAboutLayer } from "../media-types.ts";
import { createBreather } from "./breather.ts";
import { type Compression, decompress } from "./decompress.ts";
import { finishLayer } from "./finish-layer.ts";
import { LayerWriter } from "./layer-writer.ts";
import { tarBlocks } from "./tar-blocks.ts";
import { TarTokenizer } from "./tar-tokenizer.ts";
import { invalidLayer } from "./unpack-error.ts";
import type { UnpackTarget } from "./unpack-target.ts";
import { untilAborted } from "./until-aborted.ts";

export interface UnpackOptions {
  /** Aborting it ends the unpacking with its reason. */
  signal?: AbortSignal;
}

/**
 * Unpacks one layer of an image (OCI image specification, layer.md) onto those below it. Whatever the layer says,
 * nothing outside the target's root is made, changed, or removed. When it fails, the root is left half done, for the
 * caller to remove.
 *
 * Device nodes and named pipes are left out (the target counts them), as are extended attributes and the records of
 * global pax headers other than those the `tar` package applies.
 *
 * @param layer its blob, of which the digest is not checked here; no more of it is read than is unpacked
 * @param target not in use by another call
 * @throws BoxerError `image_invalid` for what the layer says wrong, or a bound of the target that it passes;
 *   `disk_full`; `internal` for other faults of the file system. Errors of `layer`, and the signal's reason, as they are
 */
export async function unpackLayer(
  layer: AsyncIterable<Uint8Array>,
  mediaType: string,
  target: UnpackTarget,
  { signal }: UnpackOptions = {},
): Promise<void> {
  const complaint = complaintAboutLayer(mediaType);
  if (complaint) throw invalidLayer(complaint);
  const archive = decompress(untilAborted(layer, signal), compressionOf(mediaType));
  const writer = new LayerWriter(target);
  try {
    await writeArchive(archive, writer, target, signal);
    await finishLayer(target.tree, signal);
  } finally {
    writer.close();
  }
}

function compressionOf(mediaType: string): Compression {
  if (mediaType.endsWith("gzip")) return "gzip";
  return mediaType.endsWith("zstd") ? "zstd" : "none";
}

async function writeArchive(
  archive: AsyncIterable<Uint8Array>,
  writer: LayerWriter,
  target: UnpackTarget,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tokenizer = new TarTokenizer();
  const breathe = createBreather();
  for await (const blocks of tarBlocks(archive)) {
    target.countBytes(blocks.length);
    for (const token of tokenizer.feed(blocks)) {
      const pending = writer.apply(token) ?? breathe();
      if (pending) await pending;
    }
    signal?.throwIfAborted();
  }
  tokenizer.end();
}
