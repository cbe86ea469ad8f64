import { BoxerError } from "../../core/errors.ts";

/** How busy the server is when it refuses a run. */
export interface Busy {
  /** Runs under way. */
  readonly active: number;
  /** Runs that wait. */
  readonly queue_length: number;
  /** When to come again, in seconds, at least 1. */
  readonly retry_after_secs: number;
}

/** As many runs wait as may. */
export class QueueFullError extends BoxerError {
  readonly busy: Busy;

  constructor(busy: Busy, exec_id?: string) {
    const { active, queue_length } = busy;
    super(
      "queue_full",
      `${active} runs are under way and ${queue_length} wait already; see Retry-After`,
      exec_id === undefined ? {} : { exec_id },
    );
    this.busy = busy;
  }

  override ofRun(exec_id: string): QueueFullError {
    return new QueueFullError(this.busy, exec_id);
  }
}
