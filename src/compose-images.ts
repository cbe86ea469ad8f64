import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { CleanupStack } from "./core/cleanup-stack.ts";
import { type Home, homeAt } from "./core/home.ts";
import { logLeftover } from "./core/log-leftover.ts";
import { findDockerSocket } from "./image/daemon/find-docker-socket.ts";
import { openImageStore } from "./image/image-store.ts";
import { MACHINE_PLATFORM, parsePlatform } from "./image/manifest/parse-platform.ts";
import type { ImageStore } from "./image/types.ts";
import { findExecutable } from "./platform/find-executable.ts";
import { lockHome } from "./platform/home-lock.ts";
import type { Platform } from "./platform/platform.ts";

const MAX_PARALLEL_DOWNLOADS = 4;

/**
 * Opens the image store of a home that no server uses, for as long as `use` takes.
 * @throws HomeInUseError, what opening the store gives, and what `use` throws
 */
export async function withImages<T>(
  config: Config,
  platform: Platform,
  log: Logger,
  use: (images: ImageStore) => Promise<T>,
): Promise<T> {
  const cleanup = new CleanupStack(logLeftover(log));
  try {
    const home = homeAt(config.home);
    await mkdir(home.root, { recursive: true, mode: 0o700 });
    cleanup.defer("home lock", lockHome(platform, home.lock));
    const { mkfsErofs } = await findTools(config, home);
    const images = await openImages(config, platform, home, mkfsErofs, log);
    cleanup.defer("image store", () => images.close());
    return await use(images);
  } finally {
    await cleanup.run();
  }
}

/**
 * Opens the image store of a home that is locked.
 * @throws what opening the store gives
 */
export async function openImages(
  config: Config,
  platform: Platform,
  home: Home,
  mkfsErofs: string | null,
  log: Logger,
): Promise<ImageStore> {
  const docker_socket = await findDockerSocket(config.docker_socket, process.env);
  return await openImageStore(
    imageStoreOptions({ ...config, docker_socket }, platform, home, mkfsErofs, log),
  );
}

/** Where the tools are that Boxer calls; null for one that is not there. */
export async function findTools(
  config: Config,
  home: Home,
): Promise<{ runsc: string | null; mkfsErofs: string | null }> {
  const searchPath = process.env.PATH ?? "";
  const find = (name: string, configured: string | undefined) =>
    configured === undefined
      ? findExecutable(name, [join(home.root, "bin", name)], searchPath)
      : findExecutable(name, [configured], "");
  const [runsc, mkfsErofs] = await Promise.all([
    find("runsc", config.runsc_path),
    config.mkfs_erofs_path === null ? null : find("mkfs.erofs", config.mkfs_erofs_path),
  ]);
  // One that is named but absent is a mistake to be told, not a wish for images as directories.
  return { runsc, mkfsErofs: mkfsErofs ?? config.mkfs_erofs_path ?? null };
}

/** How the image store is opened; the test support opens one alone. */
export function imageStoreOptions(
  config: Config,
  platform: Platform,
  home: Home,
  mkfsErofs: string | null,
  log: Logger,
) {
  return {
    root: home.images,
    platform,
    log,
    config: {
      mkfs_path: mkfsErofs,
      insecure_registries: config.insecure_registries,
      registry_mirrors: config.registry_mirrors,
      platform: config.image_platform === undefined ? MACHINE_PLATFORM : parsePlatform(config.image_platform),
      image_tag_ttl_secs: config.image_tag_ttl_secs,
      pull_timeout_secs: config.pull_timeout_secs,
      max_image_bytes: config.max_image_bytes,
      max_image_entries: config.max_image_entries,
      max_parallel_downloads: MAX_PARALLEL_DOWNLOADS,
      docker_socket: config.docker_socket ?? null,
      images_quota_bytes: config.images_quota_bytes,
      image_allow: config.image_allow,
      image_deny: config.image_deny,
      images_prepull: [...config.images_prepull, ...config.warm_pool.images],
    },
  };
}
