import { BoxerError } from "../../core/errors.ts";
import { type ArchiveOptions, withArchive } from "../archive/open-archive.ts";
import type { ImageSource } from "../image-source.ts";
import { describePlatform, isForPlatform } from "../manifest/choose-platform.ts";
import { printable } from "../printable.ts";
import type { Reference } from "../reference.ts";
import type { DaemonImage, DockerDaemon } from "./docker-daemon.ts";

export type DaemonImagesOptions = Omit<ArchiveOptions, "signal">;

/** The images of the local Docker daemon, as a source beside the registries. */
export class DaemonImages {
  readonly #daemon: DockerDaemon;
  readonly #options: DaemonImagesOptions;

  constructor(daemon: DockerDaemon, options: DaemonImagesOptions) {
    this.#daemon = daemon;
    this.#options = options;
  }

  /**
   * What the daemon has under a name.
   *
   * For a reference with a digest, the daemon's image must be known to it by that very digest, as Docker's are with
   * containerd's image store; then the export has the manifest or index, and is verified by it. Docker's older store and
   * podman keep no manifests. They list digests that an image was pulled by (RepoDigests), but nothing about the content
   * follows from that list: no image of theirs stands in for a digest.
   * @throws BoxerError `image_not_found`, also when it is made for another machine; `image_pull_failed`, `image_invalid`
   *   with the bare reason; the signal's reason
   */
  async find({ text, digest }: Reference, signal: AbortSignal): Promise<DaemonImage> {
    const image = await this.#daemon.inspect(text, signal);
    if (digest !== undefined && image.id !== digest) {
      throw missing(`it knows the image as ${image.id}, and cannot prove that this is the one of the digest`);
    }
    if (isForPlatform(image, this.#options.platform)) return image;
    const wanted = describePlatform(this.#options.platform);
    throw missing(`the image is not made for ${wanted}, only for ${printable(describePlatform(image), 100)}`);
  }

  /**
   * Exports an image and gives it to `use`; what was exported is removed when that has settled.
   * @throws BoxerError `image_not_found`, `image_pull_failed`, `image_invalid` with the bare reason; as `use`; system
   *   errors; the signal's reason
   */
  async withImage<T>(
    reference: Reference,
    signal: AbortSignal,
    use: (source: ImageSource) => Promise<T>,
  ): Promise<T> {
    const stream = await this.#daemon.export(reference.text, signal);
    return await withArchive(stream, reference, { ...this.#options, signal }, ({ source }) => use(source));
  }
}

function missing(reason: string): BoxerError {
  return new BoxerError("image_not_found", reason);
}
