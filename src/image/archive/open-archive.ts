import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError } from "../../core/errors.ts";
import type { Digest } from "../digest.ts";
import { type ResolveOptions, resolveImage } from "../manifest/resolve-image.ts";
import type { Reference } from "../reference.ts";
import type { ArchiveParts } from "./archive-parts.ts";
import { ArchiveSource, readPart } from "./archive-source.ts";
import { type ArchivedImage, chooseImage } from "./choose-image.ts";
import { dockerImages } from "./docker-images.ts";
import { ociImages } from "./oci-images.ts";
import { type ArchiveLimits, receiveArchive } from "./receive-archive.ts";

/** What {@link withArchive} needs beside the archive itself. */
export interface ArchiveOptions extends ArchiveLimits, ResolveOptions {
  /** Where the archive is kept for the time being; emptied when the store is opened. */
  readonly tmp: string;
}

/** An image found in an archive, under the name it gets. */
export interface FoundImage {
  readonly source: ArchiveSource;
  readonly reference: Reference;
}

/**
 * Receives an archive as `docker save`, `podman save`, `skopeo copy` and image builders write it (OCI image layout or
 * Docker archive; plain, gzip or zstd), and gives the image in it to `use`. What was received is removed when that has
 * settled.
 * @param wanted the name that the image gets; undefined: the one that the archive has for it
 * @throws BoxerError `image_invalid` with the bare reason; `invalid_request` when it is not plain which image is meant,
 *   or what it is called; system errors; errors of `stream`; the signal's reason
 */
export async function withArchive<T>(
  stream: AsyncIterable<Uint8Array>,
  wanted: Reference | undefined,
  options: ArchiveOptions,
  use: (found: FoundImage) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(options.tmp, "archive-"));
  try {
    const parts = await receiveArchive(stream, directory, options, options.signal);
    return await use(await findImage(directory, parts, wanted, options));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Newer archives of Docker are both kinds at once; a layout keeps the digests that the image had, if it is whole. */
async function findImage(
  directory: string,
  parts: ArchiveParts,
  wanted: Reference | undefined,
  options: ArchiveOptions,
): Promise<FoundImage> {
  const readDocument = (digest: Digest): Promise<Uint8Array> => readPart(directory, parts, digest);
  const choose = async (images: readonly ArchivedImage[]): Promise<FoundImage> => {
    const { image, reference } = chooseImage(images, wanted);
    return { source: new ArchiveSource(directory, parts, await image.readRoot()), reference };
  };
  const docker = parts.find("manifest.json");
  const index = parts.find("oci-layout") && parts.find("index.json");
  if (index) {
    try {
      const found = await choose(ociImages(await readDocument(index.digest), readDocument));
      if (!docker || (await isWhole(found.source, options))) return found;
    } catch (error) {
      if (!docker || !isAboutImage(error)) throw error;
    }
  }
  if (docker) return await choose(dockerImages(await readDocument(docker.digest), parts));
  throw new BoxerError(
    "image_invalid",
    "it is no image archive: it has neither index.json nor manifest.json",
  );
}

async function isWhole(source: ArchiveSource, options: ResolveOptions): Promise<boolean> {
  const { layers } = await resolveImage(source, undefined, options);
  return layers.every(({ digest }) => source.has(digest));
}

function isAboutImage(error: unknown): boolean {
  return error instanceof BoxerError && (error.code === "image_invalid" || error.code === "image_not_found");
}
