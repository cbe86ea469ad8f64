import type { NetworkHost } from "./host-tools.ts";

interface Change {
  readonly script: string;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Gives scripts to a tool that reads them from its stdin, one process at a time. What comes in meanwhile becomes one script,
 * as the kernel waits for a grace period (RCU) at the end of each; when that fails, each change is tried by itself.
 */
export class BatchWriter {
  readonly #host: NetworkHost;
  readonly #argv: readonly string[];
  #waiting: Change[] = [];
  #busy = false;

  /** @param argv such as `nft -f -`, which makes a script one transaction */
  constructor(host: NetworkHost, argv: readonly string[]) {
    this.#host = host;
    this.#argv = argv;
  }

  /** @throws BoxerError `sandbox_failed` when this script fails, whatever becomes of others */
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
      await this.#host.run(this.#argv, changes.map(({ script }) => script).join(""));
      for (const change of changes) change.done();
    } catch (error) {
      if (changes.length === 1) changes[0]?.failed(error);
      else for (const change of changes) await this.#commit([change]);
    }
  }
}
