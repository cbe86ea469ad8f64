import { BoxerError } from "../core/errors.ts";

/** Bounds of a {@link SlotQueue}. */
export interface SlotLimits {
  /** Slots held at the same time. */
  max_active: number;
  /** Callers that may wait for one. */
  max_waiting: number;
}

interface Waiter {
  start(): void;
  fail(error: BoxerError): void;
}

/** Hands out a fixed number of slots, first come first served, and says at once when too many wait. */
export class SlotQueue {
  readonly #limits: SlotLimits;
  readonly #waiting = new Set<Waiter>();
  #active = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a slot.
   * @returns how to give it back; may be called once
   * @throws BoxerError `queue_full` at once when too many wait, `canceled` when the signal aborts first
   */
  async take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw canceled();
    if (this.#active >= this.#limits.max_active) await this.#wait(signal);
    else this.#active += 1;
    return () => this.#release();
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limits.max_waiting) {
      throw new BoxerError(
        "queue_full",
        `All sandboxes are busy and ${this.#waiting.size} runs wait already`,
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", abort);
      };
      const abort = () => waiter.fail(canceled());
      const waiter: Waiter = {
        start: () => {
          leave();
          resolve();
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", abort);
    });
  }

  /** A slot given back goes straight to the next in line, so that nobody can overtake. */
  #release(): void {
    const [next] = this.#waiting;
    if (next) next.start();
    else this.#active -= 1;
  }
}

function canceled(): BoxerError {
  return new BoxerError("canceled", "The run was canceled before it started");
}
