import type { ConfigFile } from "./config-schema.ts";
import type { Machine } from "./machine.ts";

/** Which sandboxes are booted ahead. `WarmPool` of the schema describes each key. */
export interface WarmPoolConfig {
  readonly max: number;
  readonly max_memory_mb: number;
  readonly max_age_secs: number;
  readonly images: readonly string[];
}

const PER_CORE = 2;
const MOST = 16;
/** A quarter of what runs leave of the memory by default. */
const MEMORY_SHARE = 0.05;
const MOST_MEMORY_MB = 512;

/** Fills in what a configuration file leaves out. Pure. */
export function completeWarmPool(file: ConfigFile["warm_pool"], machine: Machine): WarmPoolConfig {
  return {
    max: file?.max ?? Math.min(PER_CORE * machine.cores, MOST),
    max_memory_mb:
      file?.max_memory_mb ?? Math.min(Math.floor(machine.memory_mb * MEMORY_SHARE), MOST_MEMORY_MB),
    max_age_secs: file?.max_age_secs ?? 600,
    images: file?.images ?? [],
  };
}
