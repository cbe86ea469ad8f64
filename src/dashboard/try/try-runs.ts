import { randomUUID } from "node:crypto";
import { BoxerError, messageOf } from "../../core/errors.ts";
import type { Runner } from "../../run/runner.ts";
import type { RunRequest, RunResult } from "../../run/types.ts";
import { OutputCollector } from "../../sandbox/bounded-output.ts";
import type { OutputListener } from "../../sandbox/run-process.ts";
import type { TryRun } from "../dashboard-data.ts";

/** Runs that are remembered; those that ended first are forgotten first. */
const MAX_RUNS = 16;
/** Most bytes of each stream that are kept. */
const MAX_STREAM_BYTES = 1 << 20;
/** How the runner tells them from the runs of clients. */
const CLIENT = "dashboard";

/** What a run has said so far. */
interface Output {
  readonly stdout: OutputCollector;
  readonly stderr: OutputCollector;
}

interface Entry {
  run: Omit<TryRun, "output">;
  output: Output;
  readonly stop: AbortController;
}

/** The runs that were begun on the page. They go on when the page is closed, within their limits. */
export class TryRuns {
  readonly #runner: Pick<Runner, "submit" | "active">;
  readonly #runs = new Map<string, Entry>();
  /** Counts what has changed, output that came included. */
  changes = 0;

  constructor(runner: Pick<Runner, "submit" | "active">) {
    this.#runner = runner;
  }

  /** @throws BoxerError `queue_full` when as many go on as are remembered */
  start(request: RunRequest): TryRun {
    this.#makeRoom();
    const id = randomUUID();
    const entry: Entry = {
      run: { id, request, started_at_ms: Date.now(), exec_id: null, outcome: null },
      output: noOutput(),
      stop: new AbortController(),
    };
    this.#runs.set(id, entry);
    void this.#follow(entry);
    return this.#seen(entry);
  }

  find(id: string): TryRun | null {
    const entry = this.#runs.get(id);
    return entry ? this.#seen(entry) : null;
  }

  stop(id: string): boolean {
    const entry = this.#runs.get(id);
    if (!entry || entry.run.outcome !== null) return false;
    entry.stop.abort();
    return true;
  }

  #seen({ run, output }: Entry): TryRun {
    const active =
      run.exec_id === null ? this.#runner.active().find(({ request }) => request === run.request) : undefined;
    return {
      ...run,
      exec_id: run.exec_id ?? active?.exec_id ?? null,
      output: { stdout: output.stdout.output, stderr: output.stderr.output },
    };
  }

  async #follow(entry: Entry): Promise<void> {
    const onOutput: OutputListener = (stream, chunk) => {
      if (entry.run.outcome === null && entry.output[stream].add(chunk).length > 0) this.changes += 1;
    };
    try {
      const result = await this.#runner.submit(entry.run.request, entry.stop.signal, CLIENT, { onOutput });
      entry.output = noOutput();
      this.#end(entry, { result: bounded(result) }, result.exec_id);
    } catch (error) {
      const code = error instanceof BoxerError ? error.code : "internal";
      const exec_id = error instanceof BoxerError ? (error.exec_id ?? null) : null;
      this.#end(entry, { error: { code, message: messageOf(error) } }, exec_id);
    }
  }

  #end(entry: Entry, outcome: NonNullable<TryRun["outcome"]>, exec_id: string | null): void {
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

function noOutput(): Output {
  return { stdout: new OutputCollector(MAX_STREAM_BYTES), stderr: new OutputCollector(MAX_STREAM_BYTES) };
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
