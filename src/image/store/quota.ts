import type { Logger } from "pino";
import type { Background } from "../background.ts";
import type { Digest } from "../digest.ts";
import { chooseEvicted } from "../policy/choose-evicted.ts";
import type { IsProtected } from "../policy/is-protected.ts";
import type { ImageIndex } from "./image-index.ts";

export interface QuotaOptions {
  /** Most bytes of all root file systems together; Infinity for no limit. */
  readonly quota_bytes: number;
  readonly index: ImageIndex;
  readonly isProtected: IsProtected;
  readonly background: Background;
  readonly log: Logger;
}

/** Keeps the store within its bytes, by removing what was not used for the longest time. */
export class Quota {
  readonly #options: QuotaOptions;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /**
   * Evicts images in the background while the store is over its quota.
   * @param justPulled is not evicted
   */
  enforce(justPulled?: Digest): void {
    const { quota_bytes, index, background } = this.#options;
    if (index.size_bytes > quota_bytes) background.start("evict images", () => this.#evict(justPulled));
  }

  async #evict(justPulled: Digest | undefined): Promise<void> {
    const { quota_bytes, index, isProtected, log } = this.#options;
    const evicted = await index.removeUnused((images) =>
      chooseEvicted(images, { quota_bytes, justPulled, isProtected }),
    );
    for (const { digest, references, size_bytes } of evicted) {
      const names = references.map(({ reference }) => reference);
      log.info({ digest, images: names, size_bytes, quota_bytes }, "evicted an image to keep the quota");
    }
    const { size_bytes } = index;
    if (size_bytes <= quota_bytes) return;
    log.warn({ size_bytes, quota_bytes }, "images take more than their quota, and none of them can go");
  }
}
