import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleanupStack } from "../../core/cleanup-stack.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Background } from "../background.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { buildErofs } from "../erofs.ts";
import type { ImageSource } from "../image-source.ts";
import type { ResolvedImage, ResolvedLayer } from "../manifest/resolve-image.ts";
import type { PullBoard, Report } from "../progress/pull-board.ts";
import type { Semaphore } from "../semaphore.ts";
import { createUnpackTarget } from "../unpack/unpack-target.ts";
import { unpackVerified } from "./unpack-verified.ts";

export interface RootfsOptions {
  readonly platform: Platform;
  readonly mkfs_path: string;
  readonly tmp: string;
  readonly max_image_bytes: number;
  readonly max_image_entries: number;
  readonly blobs: BlobStore;
  /** Bounds the unpacking of all images together: it is what takes memory and CPU. */
  readonly unpackSlots: Semaphore;
  readonly background: Background;
  /** Shows how far the image is. */
  readonly board: PullBoard;
}

/**
 * Makes the root file system of an image: its layers, downloaded side by side and unpacked one upon the other as soon
 * as they are there, in one EROFS file.
 * @returns path of the file, in a directory that is removed once `keep` has settled
 * @throws BoxerError `image_pull_failed`, `image_invalid`, `disk_full` with the bare reason; the signal's reason
 */
export async function buildRootfs<T>(
  source: ImageSource,
  image: ResolvedImage,
  options: RootfsOptions,
  signal: AbortSignal,
  keep: (file: string) => Promise<T>,
): Promise<T> {
  const { tmp, blobs, background, board } = options;
  const report: Report = (event) => board.reportImage(image.digest, event);
  const cleanup = new CleanupStack(() => {});
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  try {
    const directory = await mkdtemp(join(tmp, "image-"));
    // Ten thousand small files take a while; nobody needs to wait for it.
    cleanup.defer("unpacked image", () =>
      background.start("remove an unpacked image", () => rm(directory, { recursive: true, force: true })),
    );
    for (const layer of image.layers) cleanup.defer("blob", blobs.hold(layer.digest));
    const downloads = image.layers.map((layer) => ({ layer, path: blobs.fetch(source, layer, either) }));
    cleanup.defer("downloads", () => Promise.allSettled(downloads.map(({ path }) => path)));
    cleanup.defer("downloads under way", () => failure.abort(new Error("the others failed")));
    for (const { layer, path } of downloads) {
      path.then(
        () => report({ type: "downloaded", blob: layer.digest }),
        (error) => failure.abort(error),
      );
    }
    return await keep(await unpack(downloads, directory, options, either, report));
  } finally {
    await cleanup.run();
  }
}

interface Download {
  readonly layer: ResolvedLayer;
  readonly path: Promise<string>;
}

async function unpack(
  downloads: readonly Download[],
  directory: string,
  options: RootfsOptions,
  signal: AbortSignal,
  report: Report,
): Promise<string> {
  const { platform, mkfs_path, unpackSlots } = options;
  const root = join(directory, "rootfs");
  const file = join(directory, "rootfs.erofs");
  const target = await createUnpackTarget(root, {
    max_unpacked_bytes: options.max_image_bytes,
    max_entries: options.max_image_entries,
  });
  for (const [index, { layer, path }] of downloads.entries()) {
    const blob = await path;
    await unpackSlots.run(async () => {
      report({ type: "unpacking", layer: index });
      await unpackVerified(blob, layer, target, signal);
    }, signal);
    report({ type: "unpacked", layer: index });
  }
  report({ type: "building_rootfs" });
  await unpackSlots.run(() => buildErofs(platform, root, file, { mkfs_path, signal }), signal);
  return file;
}
