import { chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import type { Platform } from "../platform/platform.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { makeOutputDirectory } from "./output-directory.ts";
import type { OutputRoom } from "./output-watch.ts";
import type { Watch } from "./run-process.ts";
import { type RunDirectory, runDirectoryAt } from "./runsc.ts";
import type { GuestUser } from "./spec.ts";

/** The directory of a run that is about to start. */
export interface MadeRunDirectory {
  readonly directory: RunDirectory;
  /** Tells when the guest has put more into /output than it may: to be asked while it runs, and once when it has ended. */
  readonly outputFull: Watch;
}

/**
 * Makes the private directory of one run.
 * @param inPath for what its guest only reads; left to whoever has something to put there
 * @param user owns what is mounted at /output
 * @param room how much may be put there
 * @param cleanup is given its removal
 * @throws what mkdir(2) and mount(2) give, ENOSPC for one
 */
export async function makeRunDirectory(
  path: string,
  inPath: string,
  user: GuestUser,
  room: OutputRoom,
  platform: Pick<Platform, "mounts" | "spawn">,
  cleanup: CleanupStack,
): Promise<MadeRunDirectory> {
  const directory = runDirectoryAt(path, inPath);
  cleanup.defer("run directory", async () => {
    // The guest's own may be nested or filled without end; the rest is a handful of files of ours.
    await removeTree(directory.output, platform);
    await rm(path, { recursive: true, force: true });
  });
  await mkdir(path, { recursive: true, mode: 0o700 });
  const outputFull = await makeOutputDirectory(directory.output, user, room, platform, cleanup);
  return { directory, outputFull };
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
    // A start that came to nothing may have made it already.
    await mkdir(path, { recursive: true });
    if (process.geteuid?.() === 0) await chown(path, user.uid, user.gid);
  }
}
