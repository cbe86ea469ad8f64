import { CleanupStack } from "../core/cleanup-stack.ts";
import type { Link } from "./address-plan.ts";
import type { LinkMaker } from "./link-maker.ts";

interface Spare {
  readonly link: Link;
  readonly cleanup: CleanupStack;
}

/** Is told what cannot be given back. */
export type OnLeftover = (label: string, error: unknown) => void;

/** Links made ahead of the runs that take them, each for one run. They are mute: the table knows nothing of them yet. */
export class SpareLinks {
  readonly #maker: Pick<LinkMaker, "make" | "isIntact">;
  readonly #size: number;
  readonly #onLeftover: OnLeftover;
  #ready: Spare[] = [];
  #filling: Promise<void> | null = null;
  #isClosed = false;

  /** @param size how many are kept ready */
  constructor(maker: Pick<LinkMaker, "make" | "isIntact">, size: number, onLeftover: OnLeftover) {
    this.#maker = maker;
    this.#size = size;
    this.#onLeftover = onLeftover;
  }

  /** One that is ready, else a new one. @param cleanup told how to remove it @throws as {@link LinkMaker.make} */
  async take(cleanup: CleanupStack): Promise<Link> {
    for (let spare = this.#ready.shift(); spare; spare = this.#ready.shift()) {
      const { link, cleanup: own } = spare;
      const isIntact = await this.#maker.isIntact(link).catch(() => false);
      cleanup.defer(`network ${link.netns}`, () => own.run());
      // Somebody may have removed it, or taken its addresses.
      if (isIntact) return link;
    }
    return this.#maker.make(cleanup);
  }

  /** Makes what is missing, one at a time and in the background: to be called when a run has ended, so as to delay none. */
  refill(): void {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
  }

  /** Removes all that wait; none is made ahead any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map(({ cleanup }) => cleanup.run()));
  }

  async #fill(): Promise<void> {
    while (!this.#isClosed && this.#ready.length < this.#size) {
      const cleanup = new CleanupStack(this.#onLeftover);
      try {
        this.#ready.push({ link: await this.#maker.make(cleanup), cleanup });
      } catch {
        // The next run meets the same, and tells its client.
        await cleanup.run();
        return;
      }
    }
  }
}
