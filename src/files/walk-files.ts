import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { errnoOf } from "../core/errors.ts";
import { NotADirectoryError, openDirectory, within } from "./open-directory.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/**
 * Walks the regular files below a directory in the order of their whole paths (by UTF-16 code units), without following
 * symbolic links. What is removed meanwhile is left out. Holds the names of the directories on the way and one of them
 * open, whatever their depth.
 * @param directory below the root, normalised; empty for the root. Nothing is in one that is not there.
 * @param after paths up to this one are passed over, without a look into their directories
 */
export async function* walkFiles(root: string, directory: string, after: string): AsyncGenerator<string> {
  const names = directory === "" ? [] : directory.split("/");
  const handle = await unlessAbsent(() => openDirectory(root, names));
  if (handle) yield* walkDirectory(root, names, handle, after);
}

/** @param handle is closed */
async function* walkDirectory(
  root: string,
  names: readonly string[],
  handle: FileHandle,
  after: string,
): AsyncGenerator<string> {
  let here: FileHandle | undefined = handle;
  try {
    const base = names.map((name) => `${name}/`).join("");
    // It may have been removed since it was opened.
    const keys = (await unlessAbsent(() => keysOf(handle, base, after))) ?? [];
    for (const key of keys) {
      if (!key.endsWith("/")) {
        yield key;
        continue;
      }
      // One step from the directory at hand: from the root each time, a long chain would cost its length squared.
      const name = key.slice(base.length, -1);
      here ??= await unlessAbsent(() => openDirectory(root, names));
      if (!here) return;
      const place = within(here, name);
      const below = await unlessAbsent(() => open(place, DIRECTORY));
      if (!below) continue;
      await here.close();
      here = undefined;
      yield* walkDirectory(root, [...names, name], below, after);
    }
  } finally {
    await here?.close();
  }
}

/**
 * The paths of files and directories in a directory that come after a path or lead to such. With a slash at its end a
 * directory sorts as all that is in it does.
 */
async function keysOf(directory: FileHandle, base: string, after: string): Promise<string[]> {
  const entries = await readdir(within(directory, "."), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map((entry) => base + entry.name + (entry.isDirectory() ? "/" : ""))
    .filter((key) => key > after || (key.endsWith("/") && after.startsWith(key)))
    .sort();
}

async function unlessAbsent<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof NotADirectoryError || ABSENT.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
