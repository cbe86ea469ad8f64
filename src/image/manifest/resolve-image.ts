import { BoxerError } from "../../core/errors.ts";
import { readBlob } from "../blobs/read-blob.ts";
import type { Clock } from "../clock.ts";
import { type Digest, digestOf, hasDigest } from "../digest.ts";
import type { Descriptor, ImageSource, ManifestDocument } from "../image-source.ts";
import { printable } from "../printable.ts";
import type { ImagePlatform } from "../types.ts";
import { choosePlatform, describePlatform, isForPlatform } from "./choose-platform.ts";
import { parseImageConfig } from "./parse-image-config.ts";
import { type ImageManifest, parseManifest } from "./parse-manifest.ts";

/** An image whose manifest and config are here and verified; its layers are not. */
export interface ResolvedImage {
  /** What the reference stands for: an index, or the manifest itself. */
  readonly resolved: Digest;
  /** Of the manifest for our platform; sha256 whatever it was asked for by. */
  readonly digest: Digest;
  /** Lowest first. */
  readonly layers: readonly ResolvedLayer[];
  /** The manifest as it came. */
  readonly manifest_text: string;
  /** The config as it came. */
  readonly config_text: string;
}

export interface ResolvedLayer extends Descriptor {
  /** Digest of the layer without compression, as the config has it. */
  readonly diff_id: Digest;
}

export interface ResolveOptions {
  readonly platform: ImagePlatform;
  readonly max_image_bytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** An index of indexes of indexes is as deep as anybody has reason to go. */
const MAX_INDEX_DEPTH = 3;

/**
 * Finds the image of our platform behind a name.
 * @param pinned the digest that the reference itself states
 * @throws BoxerError `image_not_found`, `image_pull_failed`, `image_invalid` with the bare reason
 */
export async function resolveImage(
  source: ImageSource,
  pinned: Digest | undefined,
  options: ResolveOptions,
): Promise<ResolvedImage> {
  let document = await source.getManifest(pinned, options.signal);
  if (pinned && !hasDigest(document.bytes, pinned)) throw lie(pinned);
  const resolved = digestOf(document.bytes);
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const manifest = parseManifest(document);
    if (manifest.kind === "image")
      return { resolved, ...(await finish(source, document, manifest, options)) };
    document = await getVerified(source, choosePlatform(manifest, options.platform), options.signal);
  }
  throw new BoxerError("image_invalid", `the image index is nested more than ${MAX_INDEX_DEPTH} deep`);
}

async function getVerified(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<ManifestDocument> {
  const { bytes } = await source.getManifest(descriptor.digest, signal);
  if (bytes.length !== descriptor.size_bytes || !hasDigest(bytes, descriptor.digest))
    throw lie(descriptor.digest);
  return { bytes, media_type: descriptor.media_type };
}

async function finish(
  source: ImageSource,
  document: ManifestDocument,
  manifest: ImageManifest,
  { platform, max_image_bytes, clock, signal }: ResolveOptions,
): Promise<Omit<ResolvedImage, "resolved">> {
  const size_bytes = manifest.layers.reduce((sum, layer) => sum + layer.size_bytes, 0);
  if (size_bytes > max_image_bytes) {
    const reason = `its layers have ${size_bytes} bytes, more than the allowed ${max_image_bytes}`;
    throw new BoxerError("image_invalid", reason);
  }
  const configBytes = await readBlob(source, manifest.config, { clock, signal });
  const config = parseImageConfig(configBytes);
  const digest = digestOf(document.bytes);
  if (!isForPlatform(config, platform)) {
    const reason = `the image is made for ${describePlatform(config)}, not for ${describePlatform(platform)}`;
    throw new BoxerError("image_not_found", printable(reason));
  }
  return {
    digest,
    layers: pair(manifest.layers, config.diff_ids),
    manifest_text: Buffer.from(document.bytes).toString("utf8"),
    config_text: Buffer.from(configBytes).toString("utf8"),
  };
}

function pair(layers: readonly Descriptor[], diffIds: readonly Digest[]): ResolvedLayer[] {
  if (layers.length !== diffIds.length) {
    const reason = `the image config has ${diffIds.length} layers, its manifest ${layers.length}`;
    throw new BoxerError("image_invalid", reason);
  }
  return layers.map((layer, index) => ({ ...layer, diff_id: diffIds[index] as Digest }));
}

function lie(digest: Digest): BoxerError {
  return new BoxerError("image_pull_failed", `what came as ${digest} is something else`);
}
