import type { Digest } from "../digest.ts";
import type { ImageSummary } from "../types.ts";
import type { IsProtected } from "./is-protected.ts";
import { lastUse } from "./last-use.ts";

/**
 * The images to remove so that the rest keeps within the quota: the least recently used ones first, as few as do. None
 * that is in use, none that is protected. What is left may still be more than the quota. Pure.
 * @param justPulled stays as well
 */
export function chooseEvicted(
  images: readonly ImageSummary[],
  options: { quota_bytes: number; justPulled: Digest | undefined; isProtected: IsProtected },
): ImageSummary[] {
  let excess_bytes = images.reduce((sum, { size_bytes }) => sum + size_bytes, 0) - options.quota_bytes;
  const evicted: ImageSummary[] = [];
  for (const image of images.toSorted((a, b) => lastUse(a) - lastUse(b))) {
    if (excess_bytes <= 0) break;
    if (image.in_use > 0 || image.digest === options.justPulled || options.isProtected(image)) continue;
    evicted.push(image);
    excess_bytes -= image.size_bytes;
  }
  return evicted;
}
