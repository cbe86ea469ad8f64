import { type FaultStatus, faultStatus } from "./records/fault-status.ts";
import type { EndedRun, RunObserver } from "./run-observer.ts";
import type { RunStatus } from "./types.ts";

/** Sums over all runs since the start. They only grow. */
export interface RunSums {
  /** Runs by how they ended; those of which none ended so are left out. */
  readonly ended: ReadonlyMap<RunStatus | FaultStatus, number>;
  /** Those that have a result; the times below are theirs. */
  readonly results: number;
  /** Of them, runs whose sandbox was booted ahead. */
  readonly warm: number;
  readonly queue_ms: number;
  readonly boot_ms: number;
  readonly wall_ms: number;
}

/** Counts runs, and adds up their times. */
export class RunTotals implements RunObserver {
  readonly #ended = new Map<RunStatus | FaultStatus, number>();
  #sums = { results: 0, warm: 0, queue_ms: 0, boot_ms: 0, wall_ms: 0 };

  ended({ outcome }: EndedRun): void {
    const status = "error" in outcome ? faultStatus(outcome.error.code) : outcome.result.status;
    this.#ended.set(status, (this.#ended.get(status) ?? 0) + 1);
    if ("error" in outcome) return;
    const { warm, queue_ms, boot_ms, wall_ms } = outcome.result;
    this.#sums.results += 1;
    if (warm) this.#sums.warm += 1;
    this.#sums.queue_ms += queue_ms;
    this.#sums.boot_ms += boot_ms;
    this.#sums.wall_ms += wall_ms;
  }

  sums(): RunSums {
    return { ...this.#sums, ended: this.#ended };
  }
}
