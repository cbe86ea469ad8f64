import type { Logger } from "pino";
import type { BootShape } from "./boot-shape.ts";
import type { PoolClock } from "./pool-clock.ts";

/** A booted sandbox that waits for a run. */
export interface Bootable {
  /** Settles, either way, when the sandbox is gone by itself. */
  readonly ended: Promise<unknown>;
  /** Ends it and gives back all that it holds; also called for one that is gone by itself. */
  discard(): Promise<void>;
}

/** Bounds of a `WarmPool`. */
export interface WarmPoolLimits {
  /** Sandboxes that wait, boot or are being discarded; 0: none. */
  readonly max: number;
  /** The same in MB, each counting for `IDLE_MB`. */
  readonly max_memory_mb: number;
  /** Age after which a sandbox that waits is discarded. */
  readonly max_age_secs: number;
}

/** What a `WarmPool` is made of. */
export interface WarmPoolParts<S extends Bootable> {
  /**
   * Boots a sandbox. It settles soon after the signal aborts, leaves nothing behind when it rejects, and may still give a
   * sandbox after an abort.
   */
  readonly boot: (shape: BootShape, signal: AbortSignal) => Promise<S>;
  /** How many may be booting at this moment without delaying a run; see `spareBoots`. */
  readonly spare: () => number;
  readonly limits: WarmPoolLimits;
  readonly log: Pick<Logger, "debug" | "warn" | "error">;
  /** Default: the machine's own. */
  readonly clock?: PoolClock;
}

/** How a pool fares: numbers of now, and counts since the start. */
export interface WarmPoolStats {
  /** Sandboxes that wait. */
  readonly ready: number;
  readonly booting: number;
  /** What the pool counts for, sandboxes being discarded included. */
  readonly memory_mb: number;
  /** Runs that got one. */
  readonly hits: number;
  /** Runs that asked for one and got none. */
  readonly misses: number;
  /** Boots that failed, and sandboxes that were gone before a run came. */
  readonly failed: number;
  /** Sandboxes that were booted and that no run ever had. */
  readonly discarded: number;
}
