import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CleanupStack } from "../../core/cleanup-stack.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Background } from "../background.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { buildErofs } from "../erofs.ts";
import type { ImageSource } from "../image-source.ts";
import { parseImageConfig } from "../manifest/parse-image-config.ts";
import type { ResolvedImage, ResolvedLayer } from "../manifest/resolve-image.ts";
import type { PullBoard, Report } from "../progress/pull-board.ts";
import type { Semaphore } from "../semaphore.ts";
import type { ImageUser, RootfsType } from "../types.ts";
import { createUnpackTarget, type UnpackTarget } from "../unpack/unpack-target.ts";
import { resolveUser } from "../user/resolve-user.ts";
import { settleTree } from "./settle-tree.ts";
import { unpackVerified } from "./unpack-verified.ts";

export interface RootfsOptions {
  readonly platform: Platform;
  /** Null: there is none. */
  readonly mkfs_path: string | null;
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

/** A root file system that is complete and on the disk. */
export interface BuiltRootfs {
  readonly type: RootfsType;
  /** Of the EROFS file, or of a directory with the tree in it under the name `rootfs`. */
  readonly path: string;
  /** What it takes on the disk. */
  readonly size_bytes: number;
  readonly user: ImageUser;
  /** Device nodes and named pipes that were left out. */
  readonly skipped_entries: number;
  /** Extended attributes that were left out. */
  readonly skipped_xattrs: number;
}

/**
 * Makes the root file system of an image: its layers, downloaded side by side and unpacked one upon the other as soon
 * as they are there, in one EROFS file; or just so, in a directory, without mkfs.erofs.
 * @param keep gets it in a directory that is removed once `keep` has settled
 * @throws BoxerError `image_pull_failed`, `image_invalid`, `disk_full` with the bare reason; the signal's reason
 */
export async function buildRootfs<T>(
  source: ImageSource,
  image: ResolvedImage,
  options: RootfsOptions,
  signal: AbortSignal,
  keep: (rootfs: BuiltRootfs) => Promise<T>,
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
    const target = await unpack(downloads, join(directory, "rootfs"), options, either, report);
    const user = resolveUser(target.tree, parseImageConfig(Buffer.from(image.config_text)).config.user);
    report({ type: "building_rootfs" });
    const { skipped_entries, skipped_xattrs } = target;
    return await keep({ ...(await pack(directory, options, either)), user, skipped_entries, skipped_xattrs });
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
  root: string,
  options: RootfsOptions,
  signal: AbortSignal,
  report: Report,
): Promise<UnpackTarget> {
  const { unpackSlots } = options;
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
  return target;
}

async function pack(
  directory: string,
  { platform, mkfs_path, unpackSlots }: RootfsOptions,
  signal: AbortSignal,
): Promise<Pick<BuiltRootfs, "type" | "path" | "size_bytes">> {
  const root = join(directory, "rootfs");
  if (mkfs_path === null) {
    const path = join(directory, "tree");
    await mkdir(path);
    await rename(root, join(path, "rootfs"));
    return { type: "directory", path, size_bytes: await settleTree(path, platform) };
  }
  const path = join(directory, "rootfs.erofs");
  await unpackSlots.run(() => buildErofs(platform, root, path, { mkfs_path, signal }), signal);
  return { type: "erofs", path, size_bytes: (await stat(path)).size };
}
