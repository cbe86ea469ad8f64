import Type, { type Static } from "typebox";
import { BoxerError } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import type { ManifestDocument } from "../image-source.ts";
import { parseDocument } from "../manifest/parse-document.ts";
import { DOCKER_CONFIG, DOCKER_MANIFEST } from "../media-types.ts";
import { type ArchivePart, type ArchiveParts, invalidPart } from "./archive-parts.ts";
import type { ArchivedImage } from "./choose-image.ts";
import { compressionOfBytes } from "./detect-compression.ts";

const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
const strings = (maxItems: number) =>
  Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems }), Type.Null()]));

const ImageSchema = Type.Object({ Config: Type.String(), RepoTags: strings(1000), Layers: strings(512) });
const archiveSchema = compileSchema(Type.Array(ImageSchema, { maxItems: 1000 }));

/**
 * The images of a Docker archive, from its `manifest.json`
 * (https://github.com/moby/docker-image-spec, "Combined Image JSON + Filesystem Changeset Format"). They have no manifest
 * of the kind that registries have: one is made of what came, the same one for the same archive. Pure.
 * @throws BoxerError `image_invalid` with the bare reason
 */
export function dockerImages(manifestJson: Uint8Array, parts: ArchiveParts): ArchivedImage[] {
  const { content } = parseDocument("archive's manifest.json", manifestJson);
  if (!archiveSchema.fits(content)) {
    const reason = archiveSchema.complain(content)?.message;
    throw new BoxerError("image_invalid", `the archive's manifest.json is not usable: ${reason}`);
  }
  return content.map((image) => ({
    names: image.RepoTags ?? [],
    readRoot: async () => toManifest(image, parts),
  }));
}

function toManifest(image: Static<typeof ImageSchema>, parts: ArchiveParts): ManifestDocument {
  const manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: toDescriptor(find(image.Config, parts), DOCKER_CONFIG),
    layers: (image.Layers ?? []).map((name) => {
      const part = find(name, parts);
      const compression = compressionOfBytes(part.head);
      return toDescriptor(part, compression === "none" ? DOCKER_LAYER : `${DOCKER_LAYER}.${compression}`);
    }),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), media_type: DOCKER_MANIFEST };
}

function toDescriptor({ digest, size_bytes }: ArchivePart, mediaType: string) {
  return { mediaType, size: size_bytes, digest };
}

function find(name: string, parts: ArchiveParts): ArchivePart {
  const part = parts.find(name);
  if (part) return part;
  throw invalidPart(name, "its manifest.json names it, and it is not there");
}
