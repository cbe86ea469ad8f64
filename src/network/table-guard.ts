import { clearInterval, setInterval } from "node:timers";
import type { NetworkHost } from "./host-tools.ts";

/** A run is without its wall for no longer than this when others remove the table. */
const INTERVAL_MS = 1_000;

/**
 * Looks after a table while there are runs behind it. Some tools empty the whole of nftables before they load their own
 * rules; forwarding would go on, and nothing hold the runs back.
 */
export class TableGuard {
  readonly #host: NetworkHost;
  readonly #nft: string;
  readonly #table: string;
  readonly #restore: () => Promise<void>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;

  /** @param restore puts the table up again */
  constructor(host: NetworkHost, nft: string, table: string, restore: () => Promise<void>) {
    this.#host = host;
    this.#nft = nft;
    this.#table = table;
    this.#restore = restore;
  }

  /** Begins to look, or goes on. */
  watch(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Looks no more. */
  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Puts the table up if it is not there. @returns whether it was missing */
  async ensure(): Promise<boolean> {
    const { nftables = [] } = JSON.parse(await this.#host.run([this.#nft, "-j", "list", "tables"])) as {
      nftables?: { table?: { family: string; name: string } }[];
    };
    if (nftables.some(({ table }) => table?.family === "inet" && table.name === this.#table)) return false;
    await this.#restore();
    return true;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    // A host that is short of processes has more to spare the next time.
    await this.ensure().catch(() => undefined);
    this.#looking = false;
  }
}
