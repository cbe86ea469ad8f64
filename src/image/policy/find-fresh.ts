import type { Clock } from "../clock.ts";
import { describePlatform } from "../manifest/choose-platform.ts";
import { MACHINE_PLATFORM } from "../manifest/parse-platform.ts";
import type { Reference } from "../reference.ts";
import type { ImageIndex, StoredImage, StoredName } from "../store/image-index.ts";
import type { ImagePlatform, PullPolicy } from "../types.ts";

interface Settings {
  readonly clock: Clock;
  readonly image_tag_ttl_secs: number;
  readonly platform: ImagePlatform;
}

/** The image that is here, if it is good enough for the policy; looks at nothing but memory. */
export function findFresh(
  index: ImageIndex,
  reference: Reference,
  pull: PullPolicy,
  { clock, image_tag_ttl_secs, platform }: Settings,
): StoredImage | undefined {
  const found = index.name(reference.text);
  const name = found && isForThisPlatform(found, platform) ? found : undefined;
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

/**
 * Whether what a name stands for was chosen for this platform: the same index may have another image for another. What
 * was imported stands for what it is.
 */
export function isForThisPlatform(
  { imported, platform = describePlatform(MACHINE_PLATFORM) }: Pick<StoredName, "imported" | "platform">,
  wanted: ImagePlatform,
): boolean {
  return imported || platform === describePlatform(wanted);
}
