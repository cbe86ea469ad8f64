import type { BoxerError } from "../core/errors.ts";
import type { RunRequest, RunResult } from "./types.ts";

/** Where a run is on its way: it waits, its image and files are fetched, its program runs, /output is captured. */
export type RunPhase = "queued" | "preparing" | "running" | "capturing";

/** A run that has been taken in and not been answered yet. */
export interface ActiveRun {
  readonly exec_id: string;
  readonly request: RunRequest;
  /** Who asked: what runs are shared out fairly by. Written by an attacker. */
  readonly client: string;
  /** Since 1970-01-01, in ms. */
  readonly submitted_at_ms: number;
  readonly phase: RunPhase;
  /** When its phase became `running`, since 1970-01-01 in ms; null before that. */
  readonly started_at_ms: number | null;
  /** Names its sandbox on the host; null while it has none. */
  readonly sandbox_id: string | null;
}

/** What is known of a run from when it is taken in. */
export type TakenRun = Omit<ActiveRun, "phase" | "started_at_ms" | "sandbox_id">;

/** A run that has been answered: with a result, or with a fault of Boxer or its host. */
export interface EndedRun extends TakenRun {
  /** Since 1970-01-01, in ms. */
  readonly ended_at_ms: number;
  readonly outcome: { readonly result: RunResult } | { readonly error: BoxerError };
}

/**
 * Is told once of the end of every run that was taken in, just before its client is. A request that is refused at once
 * (wrong, queue full, shutting down) never was a run; one that waited and then left, or lost its place, was.
 */
export interface RunObserver {
  /** Should not throw, which is logged only, and must not be slow. */
  ended(run: EndedRun): void;
}
