import { BoxerError } from "../../core/errors.ts";
import { type ArchiveOptions, withArchive } from "../archive/open-archive.ts";
import { withDeadline } from "../deadline.ts";
import type { Reference } from "../reference.ts";
import type { StoredImage } from "../store/image-index.ts";
import type { Puller } from "./puller.ts";

export interface ImporterOptions extends Omit<ArchiveOptions, "signal"> {
  readonly puller: Puller;
  readonly pull_timeout_secs: number;
  /** Refuses, by throwing, a name that may not be used. */
  readonly admit: (reference: Reference) => void;
}

/** An image that was imported, and its name. */
export interface Imported {
  readonly image: StoredImage;
  readonly reference: Reference;
}

/** Takes images from archives. */
export class ArchiveImporter {
  readonly #options: ImporterOptions;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: ImporterOptions) {
    this.#options = options;
  }

  /**
   * Receives an archive and takes its image.
   * @param wanted the name it gets; undefined: the one that the archive has for it
   * @throws as `withArchive`, as `Puller.import`, and what `admit` throws
   */
  async import(
    stream: AsyncIterable<Uint8Array>,
    wanted: Reference | undefined,
    signal: AbortSignal,
  ): Promise<Imported> {
    const running = this.#import(stream, wanted, signal);
    this.#running.add(running);
    return await running.finally(() => this.#running.delete(running));
  }

  /** Settles when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #import(
    stream: AsyncIterable<Uint8Array>,
    wanted: Reference | undefined,
    signal: AbortSignal,
  ): Promise<Imported> {
    const { puller, pull_timeout_secs, admit } = this.#options;
    const late = (): Error =>
      new BoxerError("image_pull_failed", `it took longer than ${pull_timeout_secs} s (pull_timeout_secs)`);
    const deadline = withDeadline(signal, 1000 * pull_timeout_secs, late);
    const options = { ...this.#options, signal: deadline.signal };
    try {
      return await withArchive(stream, wanted, options, async ({ source, reference }) => {
        admit(reference);
        return { image: await puller.import(source, reference, deadline.signal), reference };
      });
    } finally {
      deadline.stop();
    }
  }
}
