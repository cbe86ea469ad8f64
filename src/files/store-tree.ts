import { constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, rm, rmdir, unlink } from "node:fs/promises";
import { BoxerError, errnoOf } from "../core/errors.ts";
import { diskFault } from "./disk-fault.ts";
import { quoted } from "./file-path.ts";
import { NotADirectoryError, openDirectory, openParent, within } from "./open-directory.ts";

/** O_NONBLOCK: a fifo that somebody planted must not keep us waiting for its writer. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What opening or linking gives where no regular file is. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO"]);

/**
 * The files below one root, by their normalised paths. Nothing here follows a symbolic link. Changes must not overlap:
 * the caller sees to that.
 */
export class StoreTree {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Moves a file to its path in one step, over one that may be there; makes the directories above it.
   * @throws BoxerError `invalid_path` when something else is in the way, `disk_full`
   */
  async place(source: string, path: string): Promise<void> {
    const { parents, name } = split(path);
    try {
      await this.#withDirectory(parents, { create: true }, async (directory) => {
        await refuseObstacle(within(directory, name), path);
        await rename(source, within(directory, name));
      });
    } catch (error) {
      if (error instanceof NotADirectoryError)
        throw blocked(path, `${quoted(error.path)} is not a directory`);
      throw diskFault(error);
    }
  }

  /** Moves a directory to a path where nothing is yet; makes the directories above it. */
  async placeDirectory(source: string, path: string): Promise<void> {
    const { parents, name } = split(path);
    await this.#withDirectory(parents, { create: true }, (directory) =>
      rename(source, within(directory, name)),
    );
  }

  /** Moves a directory out of the tree, if it is there. */
  async takeDirectory(path: string, destination: string): Promise<void> {
    const { parents, name } = split(path);
    await this.#unlessAbsent(
      () =>
        this.#withDirectory(parents, { create: false }, (directory) =>
          rename(within(directory, name), destination),
        ),
      undefined,
    );
  }

  /**
   * Opens a regular file for reading.
   * @returns the handle, which the caller closes; undefined when no file is there
   */
  async open(path: string): Promise<FileHandle | undefined> {
    const { parents, name } = split(path);
    return this.#unlessAbsent(
      () =>
        this.#withDirectory(parents, { create: false }, async (directory) => {
          const handle = await open(within(directory, name), READ);
          if ((await handle.stat()).isFile()) return handle;
          await handle.close();
          return undefined;
        }),
      undefined,
    );
  }

  /**
   * Makes a hard link to a regular file, which keeps its contents alive whatever happens to its path.
   * @returns the inode's number; undefined when no file is there, and then nothing is at `destination`
   */
  async link(path: string, destination: string): Promise<bigint | undefined> {
    const { parents, name } = split(path);
    return this.#unlessAbsent(
      () =>
        this.#withDirectory(parents, { create: false }, async (directory) => {
          if (!(await lstat(within(directory, name))).isFile()) return undefined;
          await link(within(directory, name), destination);
          const status = await lstat(destination, { bigint: true });
          if (status.isFile()) return status.ino;
          await rm(destination);
          return undefined;
        }),
      undefined,
    );
  }

  /** Removes a file if it still is that inode, and the directories above it that are empty then. */
  async remove(path: string, inode: bigint): Promise<void> {
    const { parents, name } = split(path);
    await this.#unlessAbsent(async () => {
      let directory = await openDirectory(this.#root, parents);
      try {
        const status = await lstat(within(directory, name), { bigint: true });
        if (status.ino !== inode) return;
        await unlink(within(directory, name));
        for (const parent of parents.toReversed()) {
          const below = directory;
          directory = await openParent(below);
          await below.close();
          await rmdir(within(directory, parent));
        }
      } catch (error) {
        if (errnoOf(error) !== "ENOTEMPTY") throw error;
      } finally {
        await directory.close();
      }
    }, undefined);
  }

  async #withDirectory<T>(
    names: readonly string[],
    options: { create: boolean },
    use: (directory: FileHandle) => Promise<T>,
  ): Promise<T> {
    const directory = await openDirectory(this.#root, names, options);
    try {
      return await use(directory);
    } finally {
      await directory.close();
    }
  }

  async #unlessAbsent<T>(action: () => Promise<T>, absent: T): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof NotADirectoryError || ABSENT.has(errnoOf(error) ?? "")) return absent;
      throw error;
    }
  }
}

async function refuseObstacle(place: string, path: string): Promise<void> {
  const status = await lstat(place).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (status?.isDirectory()) throw blocked(path, "a directory of that name exists");
  if (status && !status.isFile()) throw blocked(path, "something that is not a file has that name");
}

function blocked(path: string, reason: string): BoxerError {
  return new BoxerError("invalid_path", `Cannot use path ${quoted(path)}: ${reason}`, { field: "path" });
}

function split(path: string): { parents: string[]; name: string } {
  const parents = path.split("/");
  const name = parents.pop() ?? "";
  return { parents, name };
}
