import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { errnoOf } from "../core/errors.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** A step of the path that is there, and is a file, a symbolic link or the like instead of a directory. */
export class NotADirectoryError extends Error {
  override readonly name = "NotADirectoryError";
  /** Its path below the root. */
  readonly path: string;

  constructor(path: string) {
    super(`${path} is not a directory`);
    this.path = path;
  }
}

/**
 * The path of a name in an open directory, as openat(2) would resolve it: from the descriptor (proc(5), `/proc/self/fd`),
 * so that nothing above it can be swapped for a link, and whatever the directory's own depth.
 */
export function within(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

/**
 * Opens a directory below a root, step by step, following no symbolic link.
 * @param names the steps from the root; none is `.`, `..` or empty
 * @param options `create` makes the steps that are missing
 * @returns the handle, which the caller closes
 * @throws NotADirectoryError; ENOENT when a step is missing
 */
export async function openDirectory(
  root: string,
  names: readonly string[],
  options: { create: boolean } = { create: false },
): Promise<FileHandle> {
  let directory = await open(root, DIRECTORY);
  for (const [index, name] of names.entries()) {
    const parent = directory;
    try {
      if (options.create) await makeDirectory(within(parent, name));
      directory = await open(within(parent, name), DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "ENOTDIR" && errno !== "ELOOP") throw error;
      throw new NotADirectoryError(names.slice(0, index + 1).join("/"));
    } finally {
      await parent.close();
    }
  }
  return directory;
}

/** Opens the directory that holds an open directory. */
export function openParent(directory: FileHandle): Promise<FileHandle> {
  return open(within(directory, ".."), DIRECTORY);
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
