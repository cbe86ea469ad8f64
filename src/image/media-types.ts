import type { Compression } from "./unpack/decompress.ts";

/** The media types of the OCI image specification and of Docker's image manifest version 2, schema 2. */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

/** What we ask registries for. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
];

/** A tar archive as it is. */
export const PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar";

const LAYERS: ReadonlyMap<string, Compression> = new Map([
  [PLAIN_LAYER, "none"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "gzip"],
  ["application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
  ["application/vnd.docker.image.rootfs.diff.tar", "none"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"],
]);

/** How a layer that {@link complaintAboutLayer} has nothing against is compressed. */
export function compressionOf(mediaType: string): Compression {
  return LAYERS.get(mediaType) ?? "none";
}

/** Why a layer of this type cannot be part of our images, or undefined when it can. */
export function complaintAboutLayer(mediaType: string): string | undefined {
  if (LAYERS.has(mediaType)) return undefined;
  if (mediaType.endsWith("+encrypted")) return "it is encrypted";
  if (/\.(?:foreign|nondistributable)\./.test(mediaType))
    return "it is a foreign layer, kept outside registries";
  return "it is not a tar layer";
}
