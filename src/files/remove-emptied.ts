import { type FileHandle, rmdir } from "node:fs/promises";
import { errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { openParent, within } from "./open-directory.ts";

/** Closes a directory for the one that holds it. When that cannot be opened it stays open. */
export async function replaceByParent(directory: FileHandle): Promise<FileHandle> {
  const parent = await openParent(directory);
  await directory.close();
  return parent;
}

/**
 * Does something in a directory, and when that gave anything, removes the directory and those above it as far as they
 * are empty. Closes it.
 * @param names its steps from the root
 */
export async function removeEmptied<T>(
  directory: FileHandle,
  names: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  let open = directory;
  try {
    const result = await action();
    if (!result && result !== 0) return result;
    for (const name of names.toReversed()) {
      open = await replaceByParent(open);
      const emptied = await rmdir(within(open, name)).then(() => true, ifNotEmpty);
      if (!emptied) break;
    }
    return result;
  } finally {
    await open.close();
  }
}

/**
 * Removes the directories below a root that hold no file: a kill leaves such between two steps of ours, where no file of
 * their name could be put.
 */
export async function removeEmptyDirectories(platform: Pick<Platform, "spawn">, root: string): Promise<void> {
  const removal = ["find", "-H", root, "-mindepth", "1", "-type", "d", "-empty", "-delete"];
  const { succeeded, stderr } = await runCommand(platform, removal);
  if (!succeeded) throw new Error(`Cannot remove the empty directories in ${root}: ${stderr}`);
}

function ifNotEmpty(error: unknown): false {
  if (errnoOf(error) === "ENOTEMPTY") return false;
  throw error;
}
