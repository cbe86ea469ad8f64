import { BoxerError } from "../core/errors.ts";
import type { ActiveRun, RunPhase, TakenRun } from "./run-observer.ts";

/** A run from when it is taken in until all that it held has been given back. */
export class RunEntry {
  readonly run: TakenRun;
  readonly #stopping = new AbortController();
  readonly #client: AbortSignal;
  readonly #gone = Promise.withResolvers<void>();
  #phase: RunPhase = "queued";
  #started_at_ms: number | null = null;
  isAnswered = false;
  /** Names its sandbox on the host; null while it has none. */
  sandbox_id: string | null = null;

  /** @param client aborts when the client has gone: the run is stopped */
  constructor(run: TakenRun, client: AbortSignal) {
    this.run = run;
    this.#client = client;
    client.addEventListener("abort", this.stop);
    if (client.aborted) this.stop();
  }

  /** How far it is. The clock of its age begins with `running`. */
  set phase(phase: RunPhase) {
    this.#phase = phase;
    if (phase === "running") this.#started_at_ms ??= Date.now();
  }

  /** What others may see of it. */
  get active(): ActiveRun {
    return {
      ...this.run,
      phase: this.#phase,
      started_at_ms: this.#started_at_ms,
      sandbox_id: this.sandbox_id,
    };
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
