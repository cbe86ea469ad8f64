import type { Clock } from "../clock.ts";
import type { Reference } from "../reference.ts";
import type { ImageIndex, StoredImage } from "../store/image-index.ts";
import type { PullPolicy } from "../types.ts";

/** The image that is here, if it is good enough for the policy; looks at nothing but memory. */
export function findFresh(
  index: ImageIndex,
  reference: Reference,
  pull: PullPolicy,
  { clock, image_tag_ttl_secs }: { clock: Clock; image_tag_ttl_secs: number },
): StoredImage | undefined {
  const name = index.name(reference.text);
  // By digest an image is the same under any name.
  const image = name?.image ?? (reference.digest && index.image(reference.digest));
  if (!name || reference.digest || reference.local || pull === "never") return image;
  if (pull === "always") return undefined;
  if (name.imported) return image;
  const now_ms = clock.now();
  if (name.unreachable && now_ms < name.unreachable.until_ms) return image;
  const age_ms = now_ms - name.checked_at_ms;
  // A clock that was put back would keep a tag for ever.
  return age_ms >= 0 && age_ms < 1000 * image_tag_ttl_secs ? image : undefined;
}
