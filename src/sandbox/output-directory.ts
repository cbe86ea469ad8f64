import { mkdirSync, statfsSync } from "node:fs";
import { chown } from "node:fs/promises";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { mountIfAllowed } from "./mount-if-allowed.ts";
import { type OutputRoom, outputWatch } from "./output-watch.ts";
import type { Watch } from "./run-process.ts";
import type { GuestUser } from "./spec.ts";

/** The same for as long as the kernel runs; known once it has been asked. */
let page_bytes: number | undefined;

/** What an empty tmpfs has. */
const ROOT_INODES = 1;

/**
 * Makes the directory that is mounted at /output: a tmpfs with as much room as a run may use, so that the kernel itself
 * stops a guest that floods it. What is written there is memory, and the cgroup of the run that writes it is charged.
 * Where the server may not mount, it is a plain directory, and only the watch bounds it.
 *
 * Not noexec: gVisor maps the guest's programs from here. The propagation of the mount is left as the host has it: a
 * mount namespace that gets to know of the mount then also gets to know of its end.
 * @param path does not exist yet, its parent does
 * @param user owns it
 * @param cleanup is given the unmounting
 * @returns the watch that tells when it is full; also good for a last look when the sandbox has ended
 * @throws what mkdir(2) and mount(2) give
 */
export async function makeOutputDirectory(
  path: string,
  user: GuestUser,
  room: OutputRoom,
  platform: Pick<Platform, "mounts" | "spawn">,
  cleanup: CleanupStack,
): Promise<Watch> {
  mkdirSync(path, { mode: 0o700 });
  // Without root the sandbox runs as the server's own user, who owns the directory already.
  if (process.geteuid?.() !== 0) return outputWatch(path, room, platform, false);
  if (await mountOutput(path, user, room, platform)) {
    cleanup.defer("mount of /output", async () => {
      try {
        await emptyMount(path, platform);
      } finally {
        await platform.mounts.unmount(path);
      }
    });
    return outputWatch(path, room, platform, true);
  }
  await chown(path, user.uid, user.gid);
  return outputWatch(path, room, platform, false);
}

/** The mount namespaces of other runs may hold the tmpfs for as long as those go on; then at least nothing is in it. */
async function emptyMount(path: string, platform: Pick<Platform, "spawn">): Promise<void> {
  const { files, ffree } = statfsSync(path);
  // rm(1) fails in the end, since the mount itself cannot be removed.
  if (files - ffree > ROOT_INODES) await runCommand(platform, ["rm", "-rf", "--", path]);
}

/**
 * What a tmpfs takes beyond the bytes of its files: each file ends in a page of its own. One page and one inode more
 * than can be used within the limits: when they are used as well, the limits have been passed.
 */
async function mountOutput(
  path: string,
  { uid, gid }: GuestUser,
  room: OutputRoom,
  platform: Pick<Platform, "mounts">,
): Promise<boolean> {
  page_bytes ??= statfsSync("/proc").bsize;
  const size_bytes = room.max_bytes + (room.max_files + 1) * page_bytes;
  const inodes = room.max_entries + ROOT_INODES + 1;
  const most = Number.MAX_SAFE_INTEGER;
  const options = { size_bytes: Math.min(size_bytes, most), inodes: Math.min(inodes, most), uid, gid };
  return await mountIfAllowed(path, options, platform);
}
