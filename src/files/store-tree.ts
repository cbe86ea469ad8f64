import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, rm, unlink } from "node:fs/promises";
import { BoxerError, errnoOf } from "../core/errors.ts";
import { diskFault } from "./disk-fault.ts";
import { quoted } from "./file-path.ts";
import { NotADirectoryError, openDirectory, within } from "./open-directory.ts";
import { removeEmptied, replaceByParent } from "./remove-emptied.ts";
import type { StoreUsage } from "./store-usage.ts";

/** O_NONBLOCK: a fifo that somebody planted must not keep us waiting for its writer. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What opening or linking gives where no regular file is. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO"]);

/** A regular file of the tree. */
export interface FileStatus {
  readonly inode: bigint;
  readonly size_bytes: number;
  /** As the file says: a guest may have chosen it. */
  readonly modified_ms: number;
  /**
   * The last change of its inode (st_ctim, inode(7)), which nobody can choose: when it was written or moved here, or when
   * a run last began or ended with it, for that adds and removes a link.
   */
  readonly changed_ms: number;
}

/**
 * The files below one root, by their normalised paths. Nothing here follows a symbolic link. Changes must not overlap:
 * the caller sees to that.
 */
export class StoreTree {
  readonly #root: string;
  readonly #usage: StoreUsage;

  /** @param usage told of all that comes and goes */
  constructor(root: string, usage: StoreUsage) {
    this.#root = root;
    this.#usage = usage;
  }

  /**
   * Moves a file to its path in one step, over one that may be there; makes the directories above it.
   * @throws BoxerError `invalid_path` when something else is in the way, `disk_full`; NoRoomError
   */
  async place(source: string, path: string): Promise<void> {
    const { parents, name } = split(path);
    const growth_bytes = (await lstat(source)).size - ((await this.status(path))?.size_bytes ?? 0);
    this.#usage.refuseExcess(growth_bytes);
    try {
      await this.#withDirectory(parents, { create: true }, async (directory) => {
        await refuseObstacle(within(directory, name), path);
        await rename(source, within(directory, name));
        this.#usage.size_bytes += growth_bytes;
      });
    } catch (error) {
      if (error instanceof NotADirectoryError)
        throw blocked(path, `${quoted(error.path)} is not a directory`);
      throw diskFault(error);
    }
  }

  /**
   * Moves a directory to a path where nothing is yet; makes the directories above it.
   * @param size_bytes of all files in it
   * @throws NoRoomError
   */
  async placeDirectory(source: string, path: string, size_bytes: number): Promise<void> {
    const { parents, name } = split(path);
    this.#usage.refuseExcess(size_bytes);
    await this.#withDirectory(parents, { create: true }, (directory) =>
      rename(source, within(directory, name)),
    );
    this.#usage.size_bytes += size_bytes;
  }

  /**
   * Moves a directory out of the tree, if one is there, and removes the directories above it that are empty then. The
   * caller has to tell the usage what was in it.
   * @returns whether there was one
   */
  async takeDirectory(path: string, destination: string): Promise<boolean> {
    const { parents, name } = split(path);
    return this.#unlessAbsent(async () => {
      const directory = await openDirectory(this.#root, parents);
      return removeEmptied(directory, parents, async () => {
        if (!(await lstat(within(directory, name))).isDirectory()) return false;
        await rename(within(directory, name), destination);
        return true;
      });
    }, false);
  }

  /** What is known of a regular file without opening it; undefined when none is there. */
  async status(path: string): Promise<FileStatus | undefined> {
    const { parents, name } = split(path);
    return this.#unlessAbsent(
      () =>
        this.#withDirectory(parents, { create: false }, async (directory) =>
          statusOf(await lstat(within(directory, name), { bigint: true })),
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

  /**
   * Removes a file if `isDoomed` says so, and the directories above it that are empty then.
   * @returns its size; undefined when nothing was removed
   */
  async remove(path: string, isDoomed: (file: FileStatus) => boolean): Promise<number | undefined> {
    const { parents, name } = split(path);
    return this.#unlessAbsent(async () => {
      const directory = await openDirectory(this.#root, parents);
      return removeEmptied(directory, parents, async () => {
        const file = statusOf(await lstat(within(directory, name), { bigint: true }));
        if (!file || !isDoomed(file)) return undefined;
        await unlink(within(directory, name));
        this.#usage.size_bytes -= file.size_bytes;
        return file.size_bytes;
      });
    }, undefined);
  }

  /** Brings the name of a file onto the disk (fsync(2) of its directory), and those of the directories above it. */
  async sync(path: string): Promise<void> {
    const { parents } = split(path);
    await this.#unlessAbsent(async () => {
      let directory = await openDirectory(this.#root, parents);
      try {
        await directory.sync();
        for (const _ of parents) {
          directory = await replaceByParent(directory);
          await directory.sync();
        }
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

function statusOf(status: BigIntStats): FileStatus | undefined {
  if (!status.isFile()) return undefined;
  return {
    inode: status.ino,
    size_bytes: Number(status.size),
    modified_ms: Number(status.mtimeNs / 1_000_000n),
    changed_ms: Number(status.ctimeNs / 1_000_000n),
  };
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
