/** Undoes one acquisition. May be called once only. */
export type Undo = () => unknown | Promise<unknown>;

/**
 * Remembers how to give back what was acquired, last in first out. Every resource registers its undo at once,
 * so that a throw half way leaves nothing behind. One undo that fails does not keep the others from running.
 */
export class CleanupStack {
  #undos: { label: string; undo: Undo }[] = [];
  readonly #onError: (label: string, error: unknown) => void;

  /** @param onError told of each undo that throws, with the label it was registered under. */
  constructor(onError: (label: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** Registers an undo; `label` names the resource in logs. */
  defer(label: string, undo: Undo): void {
    this.#undos.push({ label, undo });
  }

  /** Runs all undos, newest first, each once. Never throws. Undos registered meanwhile run as well. */
  async run(): Promise<void> {
    for (let entry = this.#undos.pop(); entry; entry = this.#undos.pop()) {
      try {
        await entry.undo();
      } catch (error) {
        this.#onError(entry.label, error);
      }
    }
  }
}
