import type { NetworkHost } from "./host-tools.ts";

interface Change {
  readonly script: string;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Changes one table with nft(8), one process at a time. What comes in meanwhile is put into one transaction, as the kernel
 * waits for a grace period in each; when that fails, each change is tried by itself.
 */
export class TableWriter {
  readonly #host: NetworkHost;
  readonly #nft: string;
  #waiting: Change[] = [];
  #busy = false;

  constructor(host: NetworkHost, nft: string) {
    this.#host = host;
    this.#nft = nft;
  }

  /** Applies a script as a whole, or not at all. @throws BoxerError `sandbox_failed` */
  apply(script: string): Promise<void> {
    const applied = new Promise<void>((done, failed) => {
      this.#waiting.push({ script, done, failed });
    });
    if (!this.#busy) void this.#work();
    return applied;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const changes = this.#waiting;
      this.#waiting = [];
      await this.#commit(changes);
    }
    this.#busy = false;
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    try {
      await this.#host.run([this.#nft, "-f", "-"], changes.map(({ script }) => script).join(""));
      for (const change of changes) change.done();
    } catch (error) {
      if (changes.length === 1) changes[0]?.failed(error);
      else for (const change of changes) await this.#commit([change]);
    }
  }
}
