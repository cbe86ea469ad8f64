import { BoxerError } from "../../core/errors.ts";
import type { Clock } from "../clock.ts";
import { type Descriptor, type ImageSource, MAX_DOCUMENT_BYTES } from "../image-source.ts";
import { streamBlob } from "./stream-blob.ts";

/**
 * A small blob as a whole, verified.
 * @throws BoxerError `image_invalid` when it is larger than a document may be; as `streamBlob`
 */
export async function readBlob(
  source: ImageSource,
  blob: Descriptor,
  options: { clock: Clock; signal: AbortSignal },
): Promise<Uint8Array> {
  if (blob.size_bytes > MAX_DOCUMENT_BYTES) {
    throw new BoxerError("image_invalid", `blob ${blob.digest} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamBlob(source, blob, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
