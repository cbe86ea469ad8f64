import { BoxerError } from "../core/errors.ts";
import type { ActiveRun, RunPhase } from "./run-observer.ts";

/** A run from when it is taken in until all that it held has been given back. */
export class RunEntry {
  readonly run: Omit<ActiveRun, "phase">;
  readonly #stopping = new AbortController();
  readonly #client: AbortSignal;
  readonly #gone = Promise.withResolvers<void>();
  phase: RunPhase = "queued";
  isAnswered = false;

  /** @param client aborts when the client has gone: the run is stopped */
  constructor(run: Omit<ActiveRun, "phase">, client: AbortSignal) {
    this.run = run;
    this.#client = client;
    client.addEventListener("abort", this.stop);
    if (client.aborted) this.stop();
  }

  /** What others may see of it. */
  get active(): ActiveRun {
    return { ...this.run, phase: this.phase };
  }

  /** Aborts when the run shall end. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Settles when nothing of the run is left. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Makes the run end as canceled. */
  readonly stop = (): void => {
    this.#stopping.abort(new BoxerError("canceled", "The run was canceled"));
  };

  /** Says that nothing of the run is left. */
  leave(): void {
    this.#client.removeEventListener("abort", this.stop);
    this.#gone.resolve();
  }
}
