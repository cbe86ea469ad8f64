import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { ImageSource } from "../image-source.ts";
import type { ResolvedImage } from "../manifest/resolve-image.ts";
import { buildRootfs, type RootfsOptions } from "../rootfs/build-rootfs.ts";
import { SharedFlights } from "../shared-flights.ts";
import type { ImageIndex, StoredImage } from "../store/image-index.ts";

export interface BuilderOptions extends RootfsOptions {
  readonly index: ImageIndex;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Brings images into the store, each once, however many references stand for it. */
export class ImageBuilder {
  readonly #options: BuilderOptions;
  readonly #builds = new SharedFlights<StoredImage>();

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /**
   * The image in the store, built unless it is there.
   * @throws BoxerError `image_pull_failed`, `image_invalid` with the bare reason; system errors; the signal's reason
   */
  async build(source: ImageSource, image: ResolvedImage, signal: AbortSignal): Promise<StoredImage> {
    const present = this.#options.index.image(image.digest);
    if (present) return present;
    return await this.#builds.joinOrRetry(image.digest, signal, (shared) =>
      this.#build(source, image, shared),
    );
  }

  /** Aborts what is under way and waits for it. */
  async close(reason: Error): Promise<void> {
    await this.#builds.close(reason);
  }

  #build(source: ImageSource, image: ResolvedImage, signal: AbortSignal): Promise<StoredImage> {
    const { index, board, clock, log } = this.#options;
    board.reportImage(image.digest, { type: "building" });
    return buildRootfs(source, image, this.#options, signal, async (rootfs) => {
      const { digest, manifest_text: manifest, config_text: config } = image;
      const { path, type, size_bytes: rootfs_bytes, user } = rootfs;
      const { skipped_entries, skipped_xattrs } = rootfs;
      if (skipped_entries + skipped_xattrs > 0) {
        log.info({ digest, skipped_entries, skipped_xattrs }, "left out what no guest could use of an image");
      }
      const facts = { version: 1, digest, manifest, config, rootfs_bytes, user } as const;
      const kept = type === "directory" ? { rootfs_type: type } : {};
      return await index.add({ ...facts, ...kept, pulled_at_ms: clock.now() }, path);
    });
  }
}
