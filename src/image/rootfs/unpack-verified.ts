import type { Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { BoxerError } from "../../core/errors.ts";
import { createDigester, splitDigest } from "../digest.ts";
import type { ResolvedLayer } from "../manifest/resolve-image.ts";
import { compressionOf, PLAIN_LAYER } from "../media-types.ts";
import { decompress } from "../unpack/decompress.ts";
import { unpackLayer } from "../unpack/unpack-layer.ts";
import type { UnpackTarget } from "../unpack/unpack-target.ts";

const READ_BYTES = 256 << 10;

/**
 * Unpacks a layer and verifies that it is the one that the image config speaks of, by the digest of the tar archive
 * without its compression (`diff_id`). Blobs are verified already: this finds an image whose manifest and config do not
 * belong together, as Docker and containerd do. It takes about a twentieth of the time of unpacking.
 * @param blob path of the layer as it came
 * @throws BoxerError `image_invalid` with the bare reason; as `unpackLayer`
 */
export async function unpackVerified(
  blob: string,
  layer: ResolvedLayer,
  target: UnpackTarget,
  signal: AbortSignal,
): Promise<void> {
  const digester = createDigester(layer.diff_id);
  const packed = createReadStream(blob, { highWaterMark: READ_BYTES });
  try {
    const archive = decompress(packed, compressionOf(layer.media_type));
    await unpackLayer(hashed(archive, digester), PLAIN_LAYER, target, { signal });
  } finally {
    packed.destroy();
  }
  if (digester.digest("hex") === splitDigest(layer.diff_id).hex) return;
  throw new BoxerError(
    "image_invalid",
    `layer ${layer.digest} is not the one that the image config speaks of`,
  );
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, digester: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    digester.update(chunk);
    yield chunk;
  }
}
