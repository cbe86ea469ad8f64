import { chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { type RunDirectory, runDirectoryAt } from "./runsc.ts";
import type { GuestUser } from "./spec.ts";

/**
 * Makes the private directory of one run.
 * @param user owns what is mounted at /output
 * @throws what mkdir(2) gives, ENOSPC for one
 */
export async function makeRunDirectory(
  path: string,
  user: GuestUser,
  platform: Platform,
  cleanup: CleanupStack,
): Promise<RunDirectory> {
  const directory = runDirectoryAt(path);
  cleanup.defer("run directory", async () => {
    // The guest's own may be nested or filled without end; the rest is a handful of files of ours.
    await removeTree(directory.output, platform);
    await rm(path, { recursive: true, force: true });
  });
  await mkdir(directory.output, { recursive: true, mode: 0o700 });
  // Without root the sandbox runs as the server's own user, who owns the directory already.
  if (process.geteuid?.() === 0) await chown(directory.output, user.uid, user.gid);
  return directory;
}

const OUTPUT = "/output/";

/**
 * Makes a working directory below /output, which would be root's if it were left to runsc. Nothing of the guest has run
 * yet, so no link can lead elsewhere.
 * @param cwd normalised
 * @throws what mkdir(2) gives
 */
export async function makeOutputCwd(directory: RunDirectory, cwd: string, user: GuestUser): Promise<void> {
  if (!cwd.startsWith(OUTPUT)) return;
  let path = directory.output;
  for (const name of cwd.slice(OUTPUT.length).split("/")) {
    path = join(path, name);
    await mkdir(path);
    if (process.geteuid?.() === 0) await chown(path, user.uid, user.gid);
  }
}
