import { setTimeout as sleep } from "node:timers/promises";
import { hostFault } from "./host-fault.ts";

/** How often an undo is tried again that failed for want of file descriptors, processes or memory. */
const RETRIES = 60;
const RETRY_PAUSE_MS = 250;

/** Undoes one acquisition. Called once more only after it failed because the host was exhausted. */
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
        await persistently(entry.undo);
      } catch (error) {
        this.#onError(entry.label, error);
      }
    }
  }
}

/** Others give back what the host has run out of: what is given up now would be left for good. */
async function persistently(undo: Undo): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await undo();
      return;
    } catch (error) {
      if (attempt >= RETRIES || hostFault(error)?.code !== "host_exhausted") throw error;
      await sleep(RETRY_PAUSE_MS);
    }
  }
}
