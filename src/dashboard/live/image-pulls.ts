import { messageOf } from "../../core/errors.ts";
import { within } from "../../core/within.ts";
import type { ImageStore } from "../../image/types.ts";
import type { PullFailure } from "../dashboard-data.ts";

const SHOWN_MS = 300_000;
const MAX_FAILURES = 5;
/** What is refused without asking a registry is refused within this time. */
const REFUSED_WITHIN_MS = 150;

/** The pulls that were begun on the page: they go on by themselves, and their failures are shown for a while. */
export class ImagePulls {
  readonly #images: Pick<ImageStore, "acquire">;
  #failures: readonly PullFailure[] = [];

  constructor(images: Pick<ImageStore, "acquire">) {
    this.#images = images;
  }

  /** Those of the last minutes, newest first. */
  failures(): readonly PullFailure[] {
    this.#failures = this.#failures.filter(({ at_ms }) => Date.now() - at_ms < SHOWN_MS);
    return this.#failures;
  }

  /** @throws what the store says when it refuses at once */
  async start(reference: string): Promise<void> {
    this.#failures = this.#failures.filter((failure) => failure.reference !== reference);
    const pulled = this.#pull(reference);
    await within(pulled, REFUSED_WITHIN_MS);
    pulled.catch((error: unknown) => {
      const failure = { reference, reason: messageOf(error), at_ms: Date.now() };
      this.#failures = [failure, ...this.#failures].slice(0, MAX_FAILURES);
    });
  }

  async #pull(reference: string): Promise<void> {
    const { signal } = new AbortController();
    const lease = await this.#images.acquire(reference, { signal, pull: "always" });
    lease.release();
  }
}
