import { BoxerError } from "../../core/errors.ts";
import { printable } from "../printable.ts";
import type { ImagePlatform } from "../types.ts";
import type { ImageIndex, IndexEntry } from "./parse-manifest.ts";

/** What some tools write for Go's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm",
  i386: "386",
};
/** The variant that is meant where none is written. */
const BASELINES: Readonly<Record<string, number>> = { amd64: 1, arm64: 8, arm: 7 };

/**
 * Picks the manifest for a machine. A newer variant of an architecture runs what an older one does; the newest that
 * fits is taken, of equals the first. An entry that names no platform is taken where nothing else fits. Pure.
 * @throws BoxerError `image_not_found` with the bare reason, which lists what there is
 */
export function choosePlatform(index: ImageIndex, wanted: ImagePlatform): IndexEntry {
  const limit = variantNumber(wanted);
  let best: IndexEntry | undefined;
  for (const entry of index.manifests) {
    const { platform } = entry;
    if (!platform || platform.os !== wanted.os) continue;
    if (architectureOf(platform) !== architectureOf(wanted) || variantNumber(platform) > limit) continue;
    if (!best?.platform || variantNumber(platform) > variantNumber(best.platform)) best = entry;
  }
  const chosen = best ?? index.manifests.find(({ platform }) => !platform);
  if (chosen) return chosen;
  const offered = index.manifests.map(({ platform }) => describePlatform(platform as ImagePlatform));
  throw new BoxerError(
    "image_not_found",
    `the image is not made for ${describePlatform(wanted)}, only for ${printable([...new Set(offered)].join(", ")) || "nothing"}`,
  );
}

/** Whether an image config names this machine's system and architecture, as far as it names any. Pure. */
export function isForPlatform(config: { os: string; architecture: string }, wanted: ImagePlatform): boolean {
  const sameOs = config.os === "" || config.os === wanted.os;
  return sameOs && (config.architecture === "" || architectureOf(config) === architectureOf(wanted));
}

/** `linux/arm/v7` */
export function describePlatform({ os, architecture, variant }: PlatformLike): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

interface PlatformLike {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

function architectureOf({ architecture }: { architecture: string }): string {
  return (Object.hasOwn(ARCHITECTURES, architecture) && ARCHITECTURES[architecture]) || architecture;
}

function variantNumber(platform: PlatformLike): number {
  const number = /^v?(\d{1,2})/.exec(platform.variant ?? "")?.[1];
  const architecture = architectureOf(platform);
  return number !== undefined
    ? Number(number)
    : (Object.hasOwn(BASELINES, architecture) && BASELINES[architecture]) || 0;
}
