import { rmdir, unlink } from "node:fs/promises";
import { BoxerError, errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "./run-command.ts";

/**
 * Removes a file or directory with all that is in it, as a guest may have left it: nested deeper than PATH_MAX, or with
 * a million entries. That is work for rm(1): the runtimes' own recursive removals hang, block the event loop or run out
 * of stack on such trees. Symbolic links are removed, not followed. A path where nothing is, is no fault.
 * @throws BoxerError `internal` when something cannot be removed
 */
export async function removeTree(path: string, platform: Pick<Platform, "spawn">): Promise<void> {
  if (await isRemovedAtOnce(path)) return;
  const removal = ["rm", "-rf", "--", path];
  if ((await runCommand(platform, removal)).succeeded) return;
  // Without root, directories that the guest has closed to their owner have to be opened first.
  await runCommand(platform, ["chmod", "-R", "u+rwX", "--", path]);
  const { succeeded, stderr } = await runCommand(platform, removal);
  if (!succeeded) throw new BoxerError("internal", `Cannot remove ${path}: ${stderr}`);
}

/** Takes away what needs no walk, and spares a process: an empty directory, a file, nothing. */
async function isRemovedAtOnce(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    switch (errnoOf(error)) {
      case "ENOENT":
        return true;
      case "ENOTDIR":
        // It is a file, or lies below one and so is not there.
        await unlink(path).catch(ignoreAbsence);
        return true;
      default:
        return false;
    }
  }
}

function ignoreAbsence(error: unknown): void {
  const errno = errnoOf(error);
  if (errno !== "ENOENT" && errno !== "ENOTDIR") throw error;
}
