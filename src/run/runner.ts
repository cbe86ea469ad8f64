import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError, messageOf } from "../core/errors.ts";
import { checkRequest, type ExecuteParts, execute } from "./execute.ts";
import { type SlotLimits, SlotQueue } from "./slot-queue.ts";
import type { RunRequest, RunResult } from "./types.ts";

/** How long stopped runs may take to be torn down; the next start sweeps what is left. */
const TEARDOWN_MS = 15_000;

/** Takes runs in, bounds how many there are, and brings them to an end at shutdown. */
export class Runner {
  readonly #parts: ExecuteParts;
  readonly #log: Logger;
  readonly #slots: SlotQueue;
  /** Runs that wait, run, or are being torn down. */
  readonly #runs = new Set<{ stop(): void; gone: Promise<void> }>();
  #draining = false;

  constructor(parts: ExecuteParts, limits: SlotLimits, log: Logger) {
    this.#parts = parts;
    this.#log = log;
    this.#slots = new SlotQueue(limits);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Runs one request to its end. The answer comes when output and exit code are known; what the run held is given back
   * after that, its slot last.
   * @param client aborts when the client has gone: the run is stopped
   * @throws BoxerError for a bad request, a full queue, a shutdown, or a fault of Boxer or its host
   */
  async submit(request: RunRequest, client: AbortSignal): Promise<RunResult> {
    if (this.#draining) throw new BoxerError("draining", "The server is shutting down and takes no new runs");
    checkRequest(request);
    const exec_id = `boxer-${randomUUID()}`;
    const log = this.#log.child({ exec_id });
    const cleanup = new CleanupStack((label, err) => log.error({ err }, `Cannot give back the ${label}`));
    const signal = this.#register(client, cleanup);
    try {
      const result = await this.#run(request, exec_id, signal, cleanup);
      log.info(summary(request, result), "run ended");
      return result;
    } catch (error) {
      log.warn({ image: request.image, reason: messageOf(error) }, "run failed");
      throw error instanceof BoxerError ? error.ofRun(exec_id) : error;
    } finally {
      void cleanup.run();
    }
  }

  /**
   * Takes no more runs, lets those under way end, stops them after a while.
   * @param grace_ms how long they may go on
   */
  async drain(grace_ms: number): Promise<void> {
    this.#draining = true;
    const stopping = setTimeout(() => this.stopAll(), grace_ms);
    let givingUp: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      givingUp = setTimeout(resolve, grace_ms + TEARDOWN_MS);
    });
    await Promise.race([this.#gone(), late]);
    clearTimeout(stopping);
    clearTimeout(givingUp);
  }

  async #gone(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs].map((run) => run.gone));
  }

  /** Stops every run at once; each ends as canceled. */
  stopAll(): void {
    for (const run of this.#runs) run.stop();
  }

  /** Counts a run in until its last undo has run, and gives the signal that stops it. */
  #register(client: AbortSignal, cleanup: CleanupStack): AbortSignal {
    const controller = new AbortController();
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const stop = () => controller.abort(new BoxerError("canceled", "The run was canceled"));
    const run = { stop, gone };
    this.#runs.add(run);
    client.addEventListener("abort", stop);
    if (client.aborted) stop();
    cleanup.defer("registration", () => {
      client.removeEventListener("abort", stop);
      this.#runs.delete(run);
      resolve();
    });
    return controller.signal;
  }

  async #run(
    request: RunRequest,
    exec_id: string,
    signal: AbortSignal,
    cleanup: CleanupStack,
  ): Promise<RunResult> {
    const queued = performance.now();
    const release = await this.#slots.take(signal);
    cleanup.defer("slot", release);
    const queue_ms = Math.round(performance.now() - queued);
    return execute(this.#parts, request, { exec_id, queue_ms, signal, cleanup });
  }
}

function summary(request: RunRequest, result: RunResult) {
  const { status, exit_code, wall_ms, queue_ms, boot_ms } = result;
  return { image: request.image, status, exit_code, wall_ms, queue_ms, boot_ms };
}
