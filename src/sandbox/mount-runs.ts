import { totalmem } from "node:os";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import type { Platform } from "../platform/platform.ts";
import { mountIfAllowed } from "./mount-if-allowed.ts";

/** Far more than runs take: some tens of kilobytes and some ten files each, besides what requests state. */
const SHARE_OF_MEMORY = 0.5;
const INODES = 1 << 20;

/**
 * Mounts a tmpfs over the directory of the runs: what a start needs there is written, read once, and gone within seconds,
 * of which a file system on a disk keeps books. Where the server may not mount, it stays as it is.
 * @param path exists, and is the server's own
 * @param cleanup is given the unmounting
 * @throws what mount(2) gives but EPERM and EACCES
 */
export async function mountRuns(
  path: string,
  platform: Pick<Platform, "mounts">,
  cleanup: CleanupStack,
): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const size_bytes = Math.floor(SHARE_OF_MEMORY * totalmem());
  if (!(await mountIfAllowed(path, { size_bytes, inodes: INODES, uid: 0, gid: 0 }, platform))) return;
  cleanup.defer("mount of the runs", () => platform.mounts.unmount(path));
}
