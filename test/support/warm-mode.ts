import assert from "node:assert/strict";

/**
 * Whether services of tests run their guests in sandboxes that have been booted ahead, as they do by default; tests
 * otherwise have a sandbox booted for each, so that every one of them is where it would be looked for.
 */
export const WARM_MODE = process.env.BOXER_TEST_WARM === "1";

const waiting = new Map<string, () => readonly string[]>();

/** Tells what waits for runs of the service of a home, by its names on the host. */
export function tellWaiting(home: string, names: () => readonly string[]): void {
  waiting.set(home, names);
}

/** What waits for runs of the service of a home, and so is nothing that a run has left. */
export function waitingOf(home: string): readonly string[] {
  return waiting.get(home)?.() ?? [];
}

/** A tally of fewer says nothing. */
const ENOUGH_RUNS = 5;

/** Proves that the runs of a service that could be in sandboxes booted ahead were. */
export class WarmTally {
  #runs = 0;
  #warm = 0;

  /**
   * Counts a run that a sandbox should have been ready for.
   * @param warm what its answer says; other than true and false for a request that was no run
   */
  count(warm: unknown): void {
    if (typeof warm !== "boolean") return;
    this.#runs += 1;
    if (warm) this.#warm += 1;
  }

  /** @throws AssertionError when there were enough runs, and most of them had their own sandbox booted */
  check(): void {
    const isWarm = this.#runs < ENOUGH_RUNS || this.#warm * 2 >= this.#runs;
    assert.ok(isWarm, `of ${this.#runs} runs only ${this.#warm} were in sandboxes booted ahead`);
  }
}
