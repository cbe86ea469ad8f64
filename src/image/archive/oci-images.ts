import { BoxerError } from "../../core/errors.ts";
import type { Digest } from "../digest.ts";
import type { ManifestDocument } from "../image-source.ts";
import { type IndexEntry, parseManifest } from "../manifest/parse-manifest.ts";
import { OCI_INDEX } from "../media-types.ts";
import type { ArchivedImage } from "./choose-image.ts";

/** Where containerd, and Docker with it, writes the name in full; the other one is then the tag. */
const FULL_NAME = "io.containerd.image.name";
const REF_NAME = "org.opencontainers.image.ref.name";

/**
 * The images of an OCI image layout, from its `index.json`
 * (https://github.com/opencontainers/image-spec/blob/main/image-layout.md). Entries of the same name are one image, for
 * several platforms; entries without a name beside others with one are things like signatures. Pure.
 * @param read gives the layout's manifests by digest
 * @throws BoxerError `image_invalid` with the bare reason
 */
export function ociImages(
  indexJson: Uint8Array,
  read: (digest: Digest) => Promise<Uint8Array>,
): ArchivedImage[] {
  const index = parseManifest({ bytes: indexJson, media_type: OCI_INDEX });
  if (index.kind !== "index") throw new BoxerError("image_invalid", "index.json of the archive is no index");
  const byName = Map.groupBy(index.manifests, nameOf);
  if (byName.size > 1) byName.delete("");
  return Array.from(byName, ([name, entries]) => ({
    names: name === "" ? [] : [name],
    readRoot: () => readRoot(entries, read),
  }));
}

function nameOf({ annotations }: IndexEntry): string {
  return annotations[FULL_NAME] ?? annotations[REF_NAME] ?? "";
}

async function readRoot(
  entries: readonly IndexEntry[],
  read: (digest: Digest) => Promise<Uint8Array>,
): Promise<ManifestDocument> {
  const [only, ...others] = entries;
  if (!only || others.length > 0) return { bytes: toIndex(entries), media_type: OCI_INDEX };
  return { bytes: await read(only.digest), media_type: only.media_type };
}

/** An index of some entries of another one. */
function toIndex(entries: readonly IndexEntry[]): Uint8Array {
  const manifests = entries.map(({ media_type, digest, size_bytes, platform }) => ({
    mediaType: media_type,
    digest,
    size: size_bytes,
    platform,
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}
