import { BoxerError } from "../../core/errors.ts";
import { chooseNext } from "./choose-next.ts";
import { ClientLine, type Waiter } from "./client-line.ts";
import { QueueFullError } from "./queue-full-error.ts";
import { RetryEstimate } from "./retry-estimate.ts";

/** Bounds of an {@link Admission}. */
export interface AdmissionLimits {
  /** Runs under way at the same time. */
  readonly max_concurrent_runs: number;
  /** Runs that may wait. */
  readonly max_queued_runs: number;
  /** What the runs under way may reserve together, in MB. */
  readonly max_reserved_memory_mb: number;
}

/** What a run needs to start. */
export interface Claim {
  /** Whose run it is: clients take turns. */
  readonly client: string;
  /** What it reserves, in MB; at most `max_reserved_memory_mb`. */
  readonly memory_mb: number;
  /** Aborts when the run is not wanted any more. */
  readonly signal: AbortSignal;
}

/** A run that was let in, or waits for that. */
export interface Place {
  /**
   * Settles when the run may start, with how to give its slot and memory back, which may be called once. Rejects with
   * BoxerError `canceled` when the signal aborts first, and {@link QueueFullError} when another client's run took the
   * place in the queue.
   */
  readonly admitted: Promise<() => void>;
}

/** How busy the server is. */
export interface AdmissionStats {
  /** Runs under way, those being torn down included. */
  readonly active: number;
  readonly queued: number;
  readonly reserved_memory_mb: number;
}

/**
 * Lets runs in while there are slots and memory for them. The others wait: clients take turns, each client's runs start
 * in the order of their arrival, and none waits forever; see {@link chooseNext}.
 *
 * The queue is bounded. When it is full, a new run takes the place of the newest run of the client with the longest line,
 * if that is longer than the new run's own would be; else it is refused. So one client can use the whole queue while no
 * other needs it, and cannot keep another out.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  readonly #lines = new Map<string, ClientLine>();
  readonly #estimate = new RetryEstimate();
  #active = 0;
  #queued = 0;
  #reserved_mb = 0;
  #turns = 0;

  /** @param now a clock in ms */
  constructor(limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get stats(): AdmissionStats {
    return { active: this.#active, queued: this.#queued, reserved_memory_mb: this.#reserved_mb };
  }

  /**
   * Takes a run in, or into the queue. Says no at once.
   * @throws QueueFullError when as many wait as may, BoxerError `canceled` when the signal has aborted
   */
  enter({ client, memory_mb, signal }: Claim): Place {
    if (signal.aborted) throw canceled();
    const line = this.#lineOf(client);
    const { promise: admitted, resolve, reject } = Promise.withResolvers<() => void>();
    const leave = () => {
      this.#removeWaiter(line, waiter);
      signal.removeEventListener("abort", abort);
    };
    const waiter: Waiter = {
      memory_mb,
      admit: () => {
        const release = this.#occupy(line, memory_mb);
        leave();
        resolve(release);
      },
      refuse: (error) => {
        leave();
        reject(error);
      },
    };
    const abort = () => {
      waiter.refuse(canceled());
      this.#startWaiting();
    };
    this.#addWaiter(line, waiter);
    this.#startWaiting();
    if (line.has(waiter)) {
      this.#boundQueue(line, waiter);
      signal.addEventListener("abort", abort);
    }
    return { admitted };
  }

  #startWaiting(): void {
    while (this.#active < this.#limits.max_concurrent_runs) {
      const waiting = [...this.#lines.values()].filter(({ length }) => length > 0);
      const chosen = chooseNext(waiting, this.#limits.max_reserved_memory_mb - this.#reserved_mb);
      if (chosen === null) return;
      for (const line of waiting) if (line.turn < chosen.turn) line.overtaken += 1;
      chosen.takeTurn(++this.#turns);
      chosen.first?.admit();
    }
  }

  /** @throws QueueFullError when the new one is one too many */
  #boundQueue(line: ClientLine, newcomer: Waiter): void {
    if (this.#queued <= this.#limits.max_queued_runs) return;
    const longest = [...this.#lines.values()].reduce((a, b) => (b.length > a.length ? b : a), line);
    const victim = longest.last;
    if (longest === line || !victim) {
      this.#removeWaiter(line, newcomer);
      throw this.#full();
    }
    this.#removeWaiter(longest, victim);
    victim.refuse(this.#full());
  }

  #full(): QueueFullError {
    return new QueueFullError({
      active: this.#active,
      queue_length: this.#queued,
      retry_after_secs: this.#estimate.secs(this.#active, this.#queued),
    });
  }

  #occupy(line: ClientLine, memory_mb: number): () => void {
    const since = this.#now();
    line.active += 1;
    this.#active += 1;
    this.#reserved_mb += memory_mb;
    return () => {
      line.active -= 1;
      this.#active -= 1;
      this.#reserved_mb -= memory_mb;
      this.#estimate.add(this.#now() - since);
      this.#forgetIdle(line);
      this.#startWaiting();
    };
  }

  #lineOf(client: string): ClientLine {
    const line = this.#lines.get(client) ?? new ClientLine(client);
    this.#lines.set(client, line);
    return line;
  }

  #addWaiter(line: ClientLine, waiter: Waiter): void {
    if (line.length === 0) line.takeTurn(++this.#turns);
    line.add(waiter);
    this.#queued += 1;
  }

  /** Does nothing when it has left already. */
  #removeWaiter(line: ClientLine, waiter: Waiter): void {
    if (!line.has(waiter)) return;
    line.remove(waiter);
    this.#queued -= 1;
    this.#forgetIdle(line);
  }

  #forgetIdle(line: ClientLine): void {
    if (line.isIdle) this.#lines.delete(line.client);
  }
}

function canceled(): BoxerError {
  return new BoxerError("canceled", "The run was canceled before it started");
}
