import type { BoxerError } from "../../core/errors.ts";
import type { Line } from "./choose-next.ts";

/** A run that waits. */
export interface Waiter {
  /** What it reserves, in MB. */
  readonly memory_mb: number;
  admit(): void;
  refuse(error: BoxerError): void;
}

/** The runs of one client: those that wait, first come first served, and how many are under way. */
export class ClientLine implements Line {
  readonly client: string;
  active = 0;
  turn = 0;
  overtaken = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(client: string) {
    this.client = client;
  }

  get length(): number {
    return this.#waiting.size;
  }

  get first(): Waiter | undefined {
    return this.#waiting.values().next().value;
  }

  get last(): Waiter | undefined {
    return [...this.#waiting].at(-1);
  }

  get next_memory_mb(): number {
    return this.first?.memory_mb ?? 0;
  }

  get isIdle(): boolean {
    return this.active === 0 && this.length === 0;
  }

  has(waiter: Waiter): boolean {
    return this.#waiting.has(waiter);
  }

  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** Goes behind all others. */
  takeTurn(turn: number): void {
    this.turn = turn;
    this.overtaken = 0;
  }
}
