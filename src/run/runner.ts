import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type Config, resolveLimits } from "../config/config.ts";
import { reservedMemoryMb } from "../config/reserved-memory.ts";
import { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError, errnoOf, messageOf } from "../core/errors.ts";
import { hostFault } from "../core/host-fault.ts";
import { logLeftover } from "../core/log-leftover.ts";
import { within } from "../core/within.ts";
import type { OutputListener } from "../sandbox/run-process.ts";
import { Admission, type AdmissionStats, type Place } from "./admission/admission.ts";
import { checkLimits } from "./check-limits.ts";
import { checkRequest, type ExecuteParts, execute, type RunContext } from "./execute.ts";
import { planNetwork } from "./network/plan-network.ts";
import { RunEntry } from "./run-entry.ts";
import type { ActiveRun, EndedRun, RunObserver } from "./run-observer.ts";
import type { RunRequest, RunResult } from "./types.ts";

/** How long stopped runs may take to be torn down; the next start sweeps what is left. */
const TEARDOWN_MS = 15_000;

/** What bounds runs, one by one and together. */
export type RunnerLimits = Pick<
  Config,
  "max_concurrent_runs" | "max_queued_runs" | "max_reserved_memory_mb" | "max_limits"
>;

/** How busy the server is, and how busy it may be. */
export type RunnerStats = AdmissionStats &
  Pick<Config, "max_concurrent_runs" | "max_queued_runs" | "max_reserved_memory_mb">;

/** What a caller may want beyond the result. */
export interface SubmitOptions {
  /** Is told of output as it comes; see {@link OutputListener}. */
  readonly onOutput?: OutputListener;
}

/** Takes runs in, bounds how many there are, and brings them to an end at shutdown. */
export class Runner {
  readonly #parts: ExecuteParts;
  readonly #limits: RunnerLimits;
  readonly #log: Logger;
  readonly #observers: readonly RunObserver[];
  readonly #admission: Admission;
  /** Runs that wait, run, or are being torn down, by exec_id. */
  readonly #runs = new Map<string, RunEntry>();
  #draining = false;

  /** @param observers are told of the end of each run */
  constructor(
    parts: ExecuteParts,
    limits: RunnerLimits,
    log: Logger,
    observers: readonly RunObserver[] = [],
  ) {
    this.#parts = parts;
    this.#limits = limits;
    this.#log = log;
    this.#observers = observers;
    this.#admission = new Admission(limits);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The runs that have not been answered yet, in the order in which they came. */
  active(): ActiveRun[] {
    return [...this.#runs.values()].filter(({ isAnswered }) => !isAnswered).map(({ active }) => active);
  }

  /** How busy the server is now. */
  stats(): RunnerStats {
    const { max_concurrent_runs, max_queued_runs, max_reserved_memory_mb } = this.#limits;
    return { ...this.#admission.stats, max_concurrent_runs, max_queued_runs, max_reserved_memory_mb };
  }

  /**
   * Makes a run end as canceled, whether it waits or is under way.
   * @returns false when there is no such run, or it has been answered
   */
  stop(exec_id: string): boolean {
    const entry = this.#runs.get(exec_id);
    if (!entry || entry.isAnswered) return false;
    entry.stop();
    return true;
  }

  /** Stops every run at once; each ends as canceled. */
  stopAll(): void {
    for (const entry of this.#runs.values()) entry.stop();
  }

  /**
   * Runs one request to its end. The answer comes when output and exit code are known; what the run held is given back
   * after that, its slot and memory last.
   * @param signal aborts when the client has gone: the run is stopped
   * @param client whose run it is: clients take turns
   * @param options.onOutput is told of output as it comes
   * @throws BoxerError for a bad request, a full queue, a shutdown, or a fault of Boxer or its host
   */
  async submit(
    request: RunRequest,
    signal: AbortSignal,
    client: string,
    { onOutput }: SubmitOptions = {},
  ): Promise<RunResult> {
    if (this.#draining) throw new BoxerError("draining", "The server is shutting down and takes no new runs");
    checkRequest(request);
    checkLimits(request.limits, this.#limits);
    const network = planNetwork(this.#parts.network, request);
    const run = { exec_id: `boxer-${randomUUID()}`, request, client, submitted_at_ms: Date.now() };
    const entry = new RunEntry(run, signal);
    const place = this.#enter(entry);
    const log = this.#log.child({ exec_id: run.exec_id });
    const cleanup = new CleanupStack(logLeftover(log));
    this.#register(entry, cleanup);
    try {
      const result = await this.#run(entry, place, { cleanup, network, onOutput });
      log.info(summary(request, result), "run ended");
      this.#end(entry, { result });
      return result;
    } catch (reason) {
      const error = faultOf(reason).ofRun(run.exec_id);
      log.warn({ image: request.image, reason: messageOf(reason) }, "run failed");
      this.#end(entry, { error });
      throw error;
    } finally {
      void cleanup.run().then(() => this.#parts.sandbox.refill());
    }
  }

  /**
   * Takes no more runs, lets those under way end, stops them after a while.
   * @param grace_ms how long they may go on
   */
  async drain(grace_ms: number): Promise<void> {
    this.#draining = true;
    const gone = this.#gone();
    if ((await within(gone, grace_ms)) !== "late") return;
    this.stopAll();
    await within(gone, TEARDOWN_MS);
  }

  async #gone(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ gone }) => gone));
  }

  /** Takes a place in the queue for a run. One that is refused leaves no trace. */
  #enter(entry: RunEntry): Place {
    const { client, request } = entry.run;
    const { memory_mb } = resolveLimits(request.limits, this.#parts.config.defaults, "default");
    try {
      const claim = { client, memory_mb: reservedMemoryMb(memory_mb), signal: entry.signal };
      return this.#admission.enter(claim);
    } catch (error) {
      entry.leave();
      this.#log.warn({ image: request.image, client, reason: messageOf(error) }, "run refused");
      throw error;
    }
  }

  /** Counts a run in until its last undo has run. */
  #register(entry: RunEntry, cleanup: CleanupStack): void {
    const { exec_id } = entry.run;
    this.#runs.set(exec_id, entry);
    cleanup.defer("registration", () => {
      this.#runs.delete(exec_id);
      entry.leave();
    });
  }

  async #run(
    entry: RunEntry,
    place: Place,
    rest: Pick<RunContext, "cleanup" | "network" | "onOutput">,
  ): Promise<RunResult> {
    const { exec_id, request } = entry.run;
    const queued = performance.now();
    rest.cleanup.defer("slot", await place.admitted);
    entry.phase = "preparing";
    return execute(this.#parts, request, {
      ...rest,
      exec_id,
      queue_ms: Math.round(performance.now() - queued),
      signal: entry.signal,
      phase: (phase, sandbox_id) => {
        entry.phase = phase;
        entry.sandbox_id = sandbox_id ?? entry.sandbox_id;
      },
    });
  }

  #end(entry: RunEntry, outcome: EndedRun["outcome"]): void {
    entry.isAnswered = true;
    const run = { ...entry.run, ended_at_ms: Date.now(), outcome };
    for (const observer of this.#observers) void this.#tell(observer, run);
  }

  async #tell(observer: RunObserver, run: EndedRun): Promise<void> {
    try {
      await observer.ended(run);
    } catch (err) {
      this.#log.error({ err, exec_id: run.exec_id }, "An observer of runs failed");
    }
  }
}

/** Anything thrown, as a fault with a code. */
function faultOf(error: unknown): BoxerError {
  if (error instanceof BoxerError) return error;
  // The message of a system error shows paths of the host.
  const why = errnoOf(error) ?? messageOf(error);
  return hostFault(error) ?? new BoxerError("internal", `Internal error: ${why}`, { cause: error });
}

function summary(request: RunRequest, result: RunResult) {
  const { status, exit_code, wall_ms, queue_ms, boot_ms } = result;
  return { image: request.image, status, exit_code, wall_ms, queue_ms, boot_ms };
}
