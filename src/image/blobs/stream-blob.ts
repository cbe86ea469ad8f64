import { BoxerError } from "../../core/errors.ts";
import type { Clock } from "../clock.ts";
import { createDigester, splitDigest } from "../digest.ts";
import type { Descriptor, ImageSource } from "../image-source.ts";
import { TemporaryError, waitToRetry } from "../retry.ts";

/**
 * The content of a blob, verified while it streams and taken up again where a connection broke. Only when the stream
 * has come to its end is the content what the digest says; until then it is anybody's.
 * @throws BoxerError `image_pull_failed` with the bare reason when size or digest are others, or the source fails
 *   for good; the signal's reason
 */
export async function* streamBlob(
  source: ImageSource,
  blob: Descriptor,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { digest, size_bytes } = blob;
  const digester = createDigester(digest);
  let received = 0;
  let failures = 0;
  while (received < size_bytes) {
    const before = received;
    try {
      for await (const chunk of await source.openBlob(blob, received, signal)) {
        received += chunk.length;
        if (received > size_bytes)
          throw lie(blob, `has more than the ${size_bytes} bytes that the manifest says`);
        digester.update(chunk);
        yield chunk;
      }
      if (received < size_bytes)
        throw new TemporaryError(`blob ${digest} ended after ${received} of ${size_bytes} bytes`);
    } catch (error) {
      failures = received > before ? 1 : failures + 1;
      await waitToRetry(error, failures, clock, signal);
    }
  }
  const actual = digester.digest("hex");
  if (actual !== splitDigest(digest).hex) throw lie(blob, `has the content of another, ${actual}`);
}

function lie(blob: Descriptor, what: string): BoxerError {
  return new BoxerError("image_pull_failed", `blob ${blob.digest} ${what}`);
}
