import { randomUUID } from "node:crypto";
import { BoxerError, messageOf } from "../../core/errors.ts";
import type { Runner } from "../../run/runner.ts";
import type { RunRequest, RunResult } from "../../run/types.ts";
import type { TryRun } from "../dashboard-data.ts";

/** Runs that are remembered; those that ended first are forgotten first. */
const MAX_RUNS = 16;
/** Most bytes of each stream that are kept. */
const MAX_STREAM_BYTES = 1 << 20;
/** How the runner tells them from the runs of clients. */
const CLIENT = "dashboard";

/** The runs that were begun on the page. They go on when the page is closed, within their limits. */
export class TryRuns {
  readonly #runner: Pick<Runner, "submit" | "active">;
  readonly #runs = new Map<string, { run: TryRun; stop: AbortController }>();
  /** Counts what has changed. */
  changes = 0;

  constructor(runner: Pick<Runner, "submit" | "active">) {
    this.#runner = runner;
  }

  /** @throws BoxerError `queue_full` when as many go on as are remembered */
  start(request: RunRequest): TryRun {
    this.#makeRoom();
    const id = randomUUID();
    const stop = new AbortController();
    this.#runs.set(id, {
      run: { id, request, started_at_ms: Date.now(), exec_id: null, outcome: null },
      stop,
    });
    void this.#follow(id, request, stop.signal);
    return this.find(id) as TryRun;
  }

  find(id: string): TryRun | null {
    const run = this.#runs.get(id)?.run;
    if (!run || run.exec_id !== null) return run ?? null;
    const active = this.#runner.active().find(({ request }) => request === run.request);
    return { ...run, exec_id: active?.exec_id ?? null };
  }

  stop(id: string): boolean {
    const entry = this.#runs.get(id);
    if (!entry || entry.run.outcome !== null) return false;
    entry.stop.abort();
    return true;
  }

  async #follow(id: string, request: RunRequest, signal: AbortSignal): Promise<void> {
    try {
      const result = await this.#runner.submit(request, signal, CLIENT);
      this.#end(id, { result: bounded(result) }, result.exec_id);
    } catch (error) {
      const code = error instanceof BoxerError ? error.code : "internal";
      const exec_id = error instanceof BoxerError ? (error.exec_id ?? null) : null;
      this.#end(id, { error: { code, message: messageOf(error) } }, exec_id);
    }
  }

  #end(id: string, outcome: NonNullable<TryRun["outcome"]>, exec_id: string | null): void {
    const entry = this.#runs.get(id);
    if (!entry) return;
    entry.run = { ...entry.run, exec_id, outcome };
    this.changes += 1;
  }

  #makeRoom(): void {
    if (this.#runs.size < MAX_RUNS) return;
    const [oldest] = [...this.#runs].find(([, { run }]) => run.outcome !== null) ?? [];
    if (oldest === undefined) {
      throw new BoxerError(
        "queue_full",
        `${MAX_RUNS} runs of this page go on already; wait for one, or stop it`,
      );
    }
    this.#runs.delete(oldest);
  }
}

/** Without the bytes that nobody will see. */
function bounded(result: RunResult): RunResult {
  const cut = (bytes: Uint8Array) =>
    bytes.length > MAX_STREAM_BYTES ? bytes.slice(0, MAX_STREAM_BYTES) : bytes;
  return {
    ...result,
    stdout: cut(result.stdout),
    stderr: cut(result.stderr),
    stdout_truncated: result.stdout_truncated || result.stdout.length > MAX_STREAM_BYTES,
    stderr_truncated: result.stderr_truncated || result.stderr.length > MAX_STREAM_BYTES,
  };
}
