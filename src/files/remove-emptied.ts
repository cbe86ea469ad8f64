import { type FileHandle, rmdir } from "node:fs/promises";
import { errnoOf } from "../core/errors.ts";
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

function ifNotEmpty(error: unknown): false {
  if (errnoOf(error) === "ENOTEMPTY") return false;
  throw error;
}
