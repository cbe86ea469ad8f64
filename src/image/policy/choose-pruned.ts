import type { ImageSummary } from "../types.ts";
import type { IsProtected } from "./is-protected.ts";
import { lastUse } from "./last-use.ts";

/**
 * The images that nobody uses now, nor has for so long, and that are not protected. Pure.
 * @param unused_for_ms 0 takes all that are not in use
 */
export function choosePruned(
  images: readonly ImageSummary[],
  options: { now_ms: number; unused_for_ms: number; isProtected: IsProtected },
): ImageSummary[] {
  const { now_ms, unused_for_ms, isProtected } = options;
  return images.filter(
    (image) => image.in_use === 0 && now_ms - lastUse(image) >= unused_for_ms && !isProtected(image),
  );
}
