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

/** What may happen to a boot while it goes on. */
export interface BootControl {
  /** Aborts it. */
  readonly signal: AbortSignal;
  /** Settles when a run has come to wait for it: then it has no time to settle. */
  readonly claimed: Promise<void>;
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
   * sandbox after an abort. One that is claimed is not aborted.
   */
  readonly boot: (shape: BootShape, control: BootControl) => Promise<S>;
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
  /** Those that boot and that no run waits for. */
  readonly booting: number;
  /** What the pool counts for, sandboxes being discarded included. */
  readonly memory_mb: number;
  /** Runs that got one, those that had to wait for the end of its boot included. */
  readonly hits: number;
  /** Runs that asked for one and got none. */
  readonly misses: number;
  /** Boots that failed, and sandboxes that were gone before a run came. */
  readonly failed: number;
  /** Sandboxes that were booted and that no run ever had. */
  readonly discarded: number;
}
