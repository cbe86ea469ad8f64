import type { Logger } from "pino";
import { messageOf } from "../core/errors.ts";
import type { ImageStore } from "./types.ts";

/**
 * Sees to it that images are here before the first run asks for them, one after the other. One that cannot be had is a
 * warning; it is tried again at the next start. Never rejects; ends at once when the signal aborts.
 */
export async function prepullImages(
  images: Pick<ImageStore, "acquire">,
  references: readonly string[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const reference of references) {
    if (signal.aborted) return;
    try {
      const { image, release } = await images.acquire(reference, { signal });
      release();
      log.info({ image: image.reference, digest: image.digest }, "pre-pulled image is here");
    } catch (error) {
      if (!signal.aborted)
        log.warn({ image: reference, reason: messageOf(error) }, "cannot pre-pull an image");
    }
  }
}
