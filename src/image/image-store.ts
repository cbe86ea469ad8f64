import type { Logger } from "pino";
import { diskQuota } from "../platform/disk-quota.ts";
import type { Platform } from "../platform/platform.ts";
import { Background } from "./background.ts";
import { BlobStore } from "./blobs/blob-store.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DaemonImages } from "./daemon/daemon-images.ts";
import { DockerDaemon } from "./daemon/docker-daemon.ts";
import { LocalImageStore } from "./local-image-store.ts";
import { checkRules } from "./policy/image-rules.ts";
import { protectionOf } from "./policy/is-protected.ts";
import { PullBoard } from "./progress/pull-board.ts";
import { ArchiveImporter } from "./pull/archive-importer.ts";
import { ImageBuilder } from "./pull/image-builder.ts";
import { Puller } from "./pull/puller.ts";
import { Semaphore } from "./semaphore.ts";
import { ImageFiles } from "./store/image-files.ts";
import { ImageIndex, type StoredImage } from "./store/image-index.ts";
import { Quota } from "./store/quota.ts";
import type { ImageStore, ImageStoreConfig } from "./types.ts";

export interface ImageStoreOptions {
  /** Directory that is the store's alone, of one process at a time. */
  readonly root: string;
  readonly platform: Platform;
  readonly config: ImageStoreConfig;
  readonly log: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Images unpacked or packed at the same time. */
const MAX_PARALLEL_UNPACKS = 2;
/** What images may take of the room that there is, so that uploads, outputs and the host's own have the rest. */
const DISK_SHARE = 0.8;

/**
 * Opens the store in `root`, makes the directory if need be, and removes what a killed process has left there.
 * @throws system errors, when the directory cannot be used
 */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { root, platform, config, log, clock = systemClock, env = process.env } = options;
  const background = new Background(log);
  const files = new ImageFiles(root, platform, log);
  const index = await ImageIndex.open(files, clock, background);
  const { tmp } = files;
  const board = new PullBoard({ clock, log });
  const blobs = openBlobs(files, board, clock, config);
  const unpackSlots = new Semaphore(MAX_PARALLEL_UNPACKS);
  const shared = { background, board, index, clock, log };
  const builder = new ImageBuilder({ ...config, ...shared, platform, tmp, blobs, unpackSlots });
  const isProtected = protectionOf(config.images_prepull);
  const quota_bytes = await diskQuota(config.images_quota_bytes, DISK_SHARE, root, index.size_bytes);
  const quota = new Quota({ quota_bytes, index, isProtected, background, log });
  const onArrival = ({ digest }: StoredImage): void => quota.enforce(digest);
  const registry = { ...config, platform, env, log, clock };
  const archives = { ...config, tmp, clock, log };
  const { docker_socket } = config;
  const daemon = docker_socket ? new DaemonImages(new DockerDaemon(docker_socket), archives) : undefined;
  const puller = new Puller({ ...config, ...shared, registry, builder, daemon, onArrival });
  const importer = new ArchiveImporter({ ...archives, puller, admit: (name) => checkRules(name, config) });
  quota.enforce();
  return new LocalImageStore({
    ...shared,
    config,
    puller,
    importer,
    builder,
    blobs,
    isProtected,
    quota_bytes,
  });
}

function openBlobs(
  { blobs: directory, tmp }: ImageFiles,
  board: PullBoard,
  clock: Clock,
  { max_parallel_downloads }: ImageStoreConfig,
): BlobStore {
  return new BlobStore({
    ...{ directory, tmp, max_parallel_downloads, clock },
    onProgress: (blob, downloaded_bytes) => board.reportBlob(blob, downloaded_bytes),
  });
}
