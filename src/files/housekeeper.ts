import type { Logger } from "pino";
import type { Platform } from "../platform/platform.ts";
import { createMutex, type Mutex } from "./create-mutex.ts";
import { type FoundFile, findFiles } from "./find-files.ts";
import type { Holds } from "./holds.ts";
import type { StoreTree } from "./store-tree.ts";
import type { StoreUsage } from "./store-usage.ts";

/** What a {@link Housekeeper} works with. */
export interface HousekeeperParts {
  readonly root: string;
  readonly tree: StoreTree;
  readonly holds: Holds;
  readonly usage: StoreUsage;
  /** Guards every change of the tree. */
  readonly exclusively: Mutex;
  readonly platform: Pick<Platform, "spawn">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** No quota takes a file before it has lain unused for so long: nobody's fresh upload goes for the sake of another's. */
export const MIN_EVICTION_AGE_MS = 10 * 60 * 1000;

/** Room made beyond what is needed, as a part of the quota, so that not each upload to a full store walks it. */
const HEADROOM = 0.05;
/** How long a search that found too little stands for those to come. */
const SEARCH_STANDS_MS = 5_000;

/** Removes what has lain unused: for too long, or for want of room. Never what a run holds. */
export class Housekeeper {
  readonly #parts: HousekeeperParts;
  readonly #oneAtATime = createMutex();
  /** The last search that found too little. */
  #search = { at_ms: Number.NEGATIVE_INFINITY, found_bytes: 0 };

  constructor(parts: HousekeeperParts) {
    this.#parts = parts;
  }

  /**
   * Removes the files that were neither written nor used since a time.
   * @param signal ends it between two files
   */
  async expire(before_ms: number, signal: AbortSignal): Promise<void> {
    let files = 0;
    for await (const { path } of this.#find(before_ms)) {
      if (signal.aborted) break;
      if (await this.#removeUnused(path, before_ms)) files += 1;
    }
    if (files > 0) this.#parts.log.info({ files }, "removed files that nobody used for files_ttl_secs");
  }

  /**
   * Removes the least recently used files so that the store may grow; none when all that is old enough would not do.
   * @returns whether there is room now, which another may take at once
   */
  makeRoom(growth_bytes: number): Promise<boolean> {
    const { usage, now, log } = this.#parts;
    return this.#oneAtATime(async () => {
      const excess = usage.excess(growth_bytes);
      if (excess <= 0) return true;
      if (growth_bytes > usage.quota_bytes) return false;
      const { at_ms, found_bytes } = this.#search;
      if (now() - at_ms < SEARCH_STANDS_MS && excess > found_bytes) return false;
      const before_ms = now() - MIN_EVICTION_AGE_MS;
      const unused = await this.#unusedOldestFirst(before_ms);
      const total = unused.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
      if (total < excess) {
        this.#search = { at_ms: now(), found_bytes: total };
        return false;
      }
      const goal = usage.quota_bytes * (1 - HEADROOM) - growth_bytes;
      let files = 0;
      for (const { path } of unused) {
        if (usage.size_bytes <= goal) break;
        if (await this.#removeUnused(path, before_ms)) files += 1;
      }
      log.info({ files, size_bytes: usage.size_bytes }, "removed files to keep files_quota_bytes");
      return usage.excess(growth_bytes) <= 0;
    });
  }

  async #unusedOldestFirst(before_ms: number): Promise<FoundFile[]> {
    const found: FoundFile[] = [];
    for await (const file of this.#find(before_ms)) found.push(file);
    return found.sort((a, b) => a.changed_ms - b.changed_ms);
  }

  #find(unchanged_since_ms: number): AsyncGenerator<FoundFile> {
    const { platform, root, log } = this.#parts;
    const onComplaint = (complaint: string) => log.debug({ complaint }, "files were removed meanwhile");
    return findFiles(platform, root, { unchanged_since_ms, onComplaint });
  }

  /** @returns whether it was removed; it may be in use by now, or another */
  async #removeUnused(path: string, before_ms: number): Promise<boolean> {
    const { exclusively, tree, holds } = this.#parts;
    const freed = await exclusively(() =>
      tree.remove(path, ({ changed_ms, inode }) => changed_ms <= before_ms && !holds.isHeld(path, inode)),
    );
    return freed !== undefined;
  }
}
