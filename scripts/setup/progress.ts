import { messageOf } from "../../src/core/errors.ts";

const NAME_WIDTH = 14;
const ALIVE_AFTER_MS = 10_000;

/** Prints one line per step with its time, and a sign of life while a step takes long. */
export class Progress {
  readonly #write: (line: string) => unknown;
  #current = "";

  /** @param write takes each line, without line feed. */
  constructor(write: (line: string) => unknown) {
    this.#write = write;
  }

  /** Says something that belongs to no step. */
  say(line: string): void {
    this.#write(line);
  }

  /** Says what the step in progress is about to do, when that takes more than a moment. */
  note(text: string): void {
    this.#write(`${this.#current.padEnd(NAME_WIDTH)} ${text} …`);
  }

  /** Runs one step and returns what it returns: the words for its line. What it throws is passed on. */
  async step(name: string, work: () => Promise<string>): Promise<string> {
    this.#current = name;
    const started = performance.now();
    const alive = setInterval(() => this.note(`still at it, ${seconds(started)}`), ALIVE_AFTER_MS);
    try {
      const outcome = await work();
      this.#write(`${name.padEnd(NAME_WIDTH)} ${outcome} (${seconds(started)})`);
      return outcome;
    } finally {
      clearInterval(alive);
    }
  }

  /** Runs a step that can be done without: a failure is its line. */
  async attempt(name: string, work: () => Promise<string>): Promise<void> {
    await this.step(name, () => work().catch((error) => `not available: ${messageOf(error)}`));
  }
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`;
}
