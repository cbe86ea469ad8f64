import type { Clock } from "../../../src/image/clock.ts";

/** A clock that moves only when told to, or by the sleeps it is asked for, which take no time. */
export class TestClock implements Clock {
  /** The sleeps asked for, in milliseconds. */
  readonly sleeps: number[] = [];
  #now = Date.parse("2026-01-01T00:00:00Z");

  now = (): number => this.#now;

  async sleep(duration_ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleeps.push(duration_ms);
    this.advance(duration_ms);
  }

  advance(duration_ms: number): void {
    this.#now += duration_ms;
  }
}
