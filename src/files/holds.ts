import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BoxerError } from "../core/errors.ts";
import type { Mutex } from "./create-mutex.ts";
import { normalisePath, quoted } from "./file-path.ts";
import type { StoreTree } from "./store-tree.ts";

/** Files of the store that are pinned for one run. */
export interface FileHold {
  /** In the order asked for: the normalised path, and a host file with its contents as they were then. */
  readonly paths: readonly { readonly path: string; readonly source: string }[];
  /**
   * Ends the hold; a second call does nothing, or what a fault kept the first from. With `remove`, the files are to go from the store: each does once nobody
   * holds it any more, unless a newer upload has taken its path by then.
   */
  release(options: { remove: boolean }): Promise<void>;
}

/** One file as somebody holds it: its path and its inode. */
interface Pin {
  readonly path: string;
  readonly inode: bigint;
  readonly source: string;
}

/** Who holds which file of a store. */
export class Holds {
  readonly #tree: StoreTree;
  readonly #exclusively: Mutex;
  readonly #held = new Map<string, { holders: number; remove: boolean }>();

  /** @param exclusively guards every change of the tree */
  constructor(tree: StoreTree, exclusively: Mutex) {
    this.#tree = tree;
    this.#exclusively = exclusively;
  }

  /**
   * Pins files as hard links `directory/0`, `directory/1`, …
   * @throws BoxerError `invalid_path` or `unknown_file`, naming `files[i]`; then nothing is held
   */
  hold(paths: readonly string[], directory: string): Promise<FileHold> {
    return this.#exclusively(async () => {
      const pins: Pin[] = [];
      try {
        for (const [index, text] of paths.entries()) pins.push(await this.#pin(text, directory, index));
      } catch (error) {
        await this.#release(pins, false);
        throw error;
      }
      return {
        paths: pins.map(({ path, source }) => ({ path, source })),
        release: ({ remove }) => this.#exclusively(() => this.#release(pins, remove)),
      };
    });
  }

  /** Whether anybody holds the file. */
  isHeld(path: string, inode: bigint): boolean {
    return this.#held.has(keyOf({ path, inode }));
  }

  async #pin(text: string, directory: string, index: number): Promise<Pin> {
    const field = `files[${index}]`;
    const path = normalisePath(text, field);
    const source = join(directory, String(index));
    const inode = await this.#tree.link(path, source);
    if (inode === undefined) {
      throw new BoxerError("unknown_file", `${field}: there is no file ${quoted(path)}`, { field });
    }
    const pin = { path, inode, source };
    const entry = this.#held.get(keyOf(pin)) ?? { holders: 0, remove: false };
    entry.holders += 1;
    this.#held.set(keyOf(pin), entry);
    return pin;
  }

  /** @param pins loses those that are released: after a fault, another call goes on with the rest */
  async #release(pins: Pin[], remove: boolean): Promise<void> {
    for (let pin = pins[0]; pin; pin = pins[0]) {
      await rm(pin.source, { force: true });
      pins.shift();
      const entry = this.#held.get(keyOf(pin));
      if (!entry) continue;
      entry.holders -= 1;
      entry.remove ||= remove;
      if (entry.holders > 0) continue;
      this.#held.delete(keyOf(pin));
      if (entry.remove) await this.#tree.remove(pin.path, ({ inode }) => inode === pin.inode);
    }
  }
}

/** While a file is held its inode's number is not given to another. */
function keyOf({ path, inode }: Pick<Pin, "path" | "inode">): string {
  return `${inode}:${path}`;
}
