import type { Config, RunLimits, StatedLimits } from "./config.ts";
import type { ConfigFile } from "./config-schema.ts";
import type { Machine } from "./machine.ts";
import { reservedMemoryMb, SENTRY_OVERHEAD_MB } from "./reserved-memory.ts";

/** How much may go on at once, and how much one run may ask for. */
export type Capacity = Pick<
  Config,
  "max_concurrent_runs" | "max_reserved_memory_mb" | "max_limits" | "defaults"
>;

/** Share of the usable memory that runs may have. */
const MEMORY_SHARE = 0.8;
const RUNS_PER_CORE = 4;
const BUILT_IN_MAXIMA = { wall_clock_secs: 3600, pids_limit: 4096, nofile: 65_536 };
const LIMIT_KEYS = ["cpu_cores", "memory_mb", "wall_clock_secs", "pids_limit", "nofile"] as const;

/**
 * Fills in what a configuration file leaves out about capacity. Pure.
 *
 * A run of the default limits always fits into the built-in values. A default that is null (no limit) lifts the built-in
 * maximum of that limit; where a maximum is stated as well, it takes the place of the null.
 * @param defaults the file's, completed
 */
export function completeCapacity(file: ConfigFile, defaults: RunLimits, machine: Machine): Capacity {
  const capped = mapLimits((key) => defaults[key] ?? file.max_limits?.[key] ?? null);
  const reserved = reservedMemoryMb(capped.memory_mb);
  const max_reserved_memory_mb =
    file.max_reserved_memory_mb ?? Math.max(Math.floor(machine.memory_mb * MEMORY_SHARE), reserved);
  const builtIn: RunLimits = {
    ...BUILT_IN_MAXIMA,
    cpu_cores: machine.cores,
    memory_mb: max_reserved_memory_mb - SENTRY_OVERHEAD_MB,
  };
  const fitting = Math.max(1, Math.floor(max_reserved_memory_mb / reserved));
  return {
    max_concurrent_runs: file.max_concurrent_runs ?? Math.min(RUNS_PER_CORE * machine.cores, fitting),
    max_reserved_memory_mb,
    max_limits: mapLimits((key) => maximumOf(file.max_limits?.[key], capped[key], builtIn[key])),
    defaults: capped,
  };
}

/**
 * What is wrong between the values of a capacity. Pure.
 * @returns null when nothing is, else a message that names both keys
 */
export function complainOfCapacity({
  defaults,
  max_limits,
  max_reserved_memory_mb,
}: Capacity): string | null {
  for (const key of LIMIT_KEYS) {
    const [value, maximum] = [defaults[key], max_limits[key]];
    if (value !== null && maximum !== null && value > maximum) {
      return `defaults.${key} (${value}) must not be more than max_limits.${key} (${maximum})`;
    }
  }
  const reserved = reservedMemoryMb(defaults.memory_mb);
  if (reserved <= max_reserved_memory_mb) return null;
  return (
    `a run of defaults.memory_mb (${defaults.memory_mb}) reserves ${reserved} MB, ` +
    `which must not be more than max_reserved_memory_mb (${max_reserved_memory_mb})`
  );
}

function maximumOf(
  stated: StatedLimits[keyof RunLimits],
  byDefault: number | null,
  builtIn: number | null,
): number | null {
  if (stated !== undefined) return stated;
  return byDefault === null || builtIn === null ? null : Math.max(builtIn, byDefault);
}

function mapLimits(value: (key: keyof RunLimits) => number | null): RunLimits {
  return {
    cpu_cores: value("cpu_cores"),
    memory_mb: value("memory_mb"),
    wall_clock_secs: value("wall_clock_secs"),
    pids_limit: value("pids_limit"),
    nofile: value("nofile"),
  };
}
