import { downloadTotals, type PullPhase, type PullStatus } from "./pull-status.ts";

/** A pull under way, for the log. */
export interface PullDescription {
  readonly image: string;
  readonly phase: PullPhase;
  /** Of the bytes of all layers, those that are here; whole, rounded down. */
  readonly percent: number;
  readonly downloaded_bytes: number;
  readonly size_bytes: number;
  /** As `unpacked of all`, such as `2/5`. */
  readonly layers: string;
  readonly duration_ms: number;
}

/** Says how far a pull is. Pure. */
export function describePull(status: PullStatus, now_ms: number): PullDescription {
  const totals = downloadTotals(status);
  const unpacked = status.layers.filter(({ phase }) => phase === "done").length;
  return {
    image: status.reference,
    phase: status.phase,
    // Nothing is all there is, once it is known that there is nothing.
    percent: totals.size_bytes > 0 ? percentOf(totals) : status.digest ? 100 : 0,
    ...totals,
    layers: `${unpacked}/${status.layers.length}`,
    duration_ms: now_ms - status.started_at_ms,
  };
}

function percentOf(totals: ReturnType<typeof downloadTotals>): number {
  return Math.floor((100 * totals.downloaded_bytes) / totals.size_bytes);
}
