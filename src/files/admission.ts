import { BoxerError } from "../core/errors.ts";
import type { Mutex } from "./create-mutex.ts";
import type { Housekeeper } from "./housekeeper.ts";
import type { StoreTree } from "./store-tree.ts";
import { NoRoomError, type StoreUsage } from "./store-usage.ts";

/** What an {@link Admission} works with. */
export interface AdmissionParts {
  readonly tree: StoreTree;
  readonly usage: StoreUsage;
  /** Guards every change of the tree. */
  readonly exclusively: Mutex;
  readonly housekeeper: Pick<Housekeeper, "makeRoom">;
  /** Whether what was placed shall survive a power cut. */
  readonly fsync: boolean;
}

/** Others may take the room that was made. */
const ATTEMPTS = 3;

/** Lets files into a store as far as its quota allows, and makes room for them where it may. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * See {@link StoreTree.place}.
   * @throws BoxerError `files_quota_exceeded`, `invalid_path`, `disk_full`
   */
  async place(source: string, path: string): Promise<void> {
    const { tree, fsync } = this.#parts;
    await this.#withRoom(() => tree.place(source, path));
    if (fsync) await tree.sync(path);
  }

  /**
   * See {@link StoreTree.placeDirectory}.
   * @throws BoxerError `files_quota_exceeded`
   */
  async placeDirectory(source: string, path: string, size_bytes: number): Promise<void> {
    await this.#withRoom(() => this.#parts.tree.placeDirectory(source, path, size_bytes));
  }

  async #withRoom(action: () => Promise<void>): Promise<void> {
    const { exclusively, housekeeper } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await exclusively(action);
      } catch (error) {
        if (!(error instanceof NoRoomError)) throw error;
        if (attempt === ATTEMPTS || !(await housekeeper.makeRoom(error.growth_bytes))) throw this.#refusal();
      }
    }
  }

  #refusal(): BoxerError {
    const { usage } = this.#parts;
    const message = `There is no room: the files take ${usage.size_bytes} of ${usage.quota_bytes} bytes (files_quota_bytes), and none of them may go yet`;
    return new BoxerError("files_quota_exceeded", message);
  }
}
