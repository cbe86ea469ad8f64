import Type, { type Static } from "typebox";
import { BoxerError } from "../../core/errors.ts";
import { compileSchema } from "../../core/schema.ts";
import { isDigest } from "../digest.ts";
import type { Descriptor, ManifestDocument } from "../image-source.ts";
import {
  complaintAboutLayer,
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from "../media-types.ts";
import { printable } from "../printable.ts";
import { parseDocument } from "./parse-document.ts";

/** What a reference stands for: one image, or a choice of them by platform. */
export type Manifest = ImageManifest | ImageIndex;

export interface ImageManifest {
  readonly kind: "image";
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex {
  readonly kind: "index";
  readonly manifests: readonly IndexEntry[];
}

export interface IndexEntry extends Descriptor {
  readonly platform: { os: string; architecture: string; variant: string | undefined } | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

const MAX_LAYERS = 512;
const MAX_INDEX_ENTRIES = 4096;
/** Types that say nothing; then the document itself does. */
const GENERIC: ReadonlySet<string> = new Set([
  "",
  "application/json",
  "application/octet-stream",
  "text/plain",
]);

const DescriptorSchema = Type.Object({
  mediaType: Type.String(),
  digest: Type.String(),
  size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});
const headSchema = compileSchema(
  Type.Object({ schemaVersion: Type.Integer(), mediaType: Type.Optional(Type.String()) }),
);
const imageSchema = compileSchema(
  Type.Object({ config: DescriptorSchema, layers: Type.Array(DescriptorSchema, { maxItems: MAX_LAYERS }) }),
);
const IndexEntrySchema = Type.Intersect([
  DescriptorSchema,
  Type.Object({
    platform: Type.Optional(
      Type.Object({
        os: Type.String(),
        architecture: Type.String(),
        variant: Type.Optional(Type.String()),
      }),
    ),
    annotations: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
  }),
]);
const indexSchema = compileSchema(
  Type.Object({ manifests: Type.Array(IndexEntrySchema, { maxItems: MAX_INDEX_ENTRIES }) }),
);

/**
 * Reads a manifest or index: OCI, or Docker's schema 2. Pure.
 * @throws BoxerError `image_invalid` with the bare reason, also for a layer that we cannot use
 */
export function parseManifest(document: ManifestDocument): Manifest {
  const { content } = parseDocument("manifest", document.bytes);
  if (!headSchema.fits(content)) throw invalid(headSchema.complain(content)?.message);
  if (content.schemaVersion === 1) {
    throw invalid("it is of Docker's schema 1, which is obsolete; push the image again with a newer tool");
  }
  if (content.schemaVersion !== 2) throw invalid(`its schemaVersion is ${content.schemaVersion}`);
  // One document must not be two things to two readers (CVE-2021-41190).
  if ("manifests" in content && ("layers" in content || "config" in content)) {
    throw invalid("it is both a manifest and an index");
  }
  const mediaType = effectiveType(document.media_type, content.mediaType);
  switch (mediaType ?? ("manifests" in content ? OCI_INDEX : OCI_MANIFEST)) {
    case OCI_INDEX:
    case DOCKER_LIST:
      return parseIndex(content);
    case OCI_MANIFEST:
    case DOCKER_MANIFEST:
      return parseImage(content);
    default:
      throw invalid(`its type is "${printable(mediaType ?? "", 100)}"`);
  }
}

function effectiveType(stated: string, own: string | undefined): string | undefined {
  if (GENERIC.has(stated)) return own || undefined;
  if (own && own !== stated) {
    throw invalid(`it says to be "${printable(own, 100)}" and comes as "${printable(stated, 100)}"`);
  }
  return stated;
}

function parseIndex(content: unknown): ImageIndex {
  if (!indexSchema.fits(content)) throw invalid(indexSchema.complain(content)?.message);
  const manifests = content.manifests.map((entry): IndexEntry => {
    const { platform } = entry;
    return {
      ...toDescriptor(entry),
      platform: platform && {
        os: platform.os,
        architecture: platform.architecture,
        variant: platform.variant,
      },
      annotations: entry.annotations ?? {},
    };
  });
  return { kind: "index", manifests };
}

function parseImage(content: unknown): ImageManifest {
  if (!imageSchema.fits(content)) throw invalid(imageSchema.complain(content)?.message);
  const config = toDescriptor(content.config);
  if (config.media_type !== OCI_CONFIG && config.media_type !== DOCKER_CONFIG) {
    throw invalid(`it is not of a container image: its config is "${printable(config.media_type, 100)}"`);
  }
  const layers = content.layers.map((layer) => {
    const complaint = complaintAboutLayer(layer.mediaType);
    if (!complaint) return toDescriptor(layer);
    const type = printable(layer.mediaType, 100);
    throw invalid(`layer ${printable(layer.digest, 80)} of type "${type}" cannot be used: ${complaint}`);
  });
  return { kind: "image", config, layers };
}

function toDescriptor(raw: Static<typeof DescriptorSchema>): Descriptor {
  if (!isDigest(raw.digest)) throw invalid(`"${printable(raw.digest, 80)}" is not a sha256 or sha512 digest`);
  return { media_type: raw.mediaType, digest: raw.digest, size_bytes: raw.size };
}

function invalid(reason: string | undefined): BoxerError {
  return new BoxerError("image_invalid", `the manifest is not usable: ${reason}`);
}
