/** What gVisor's sentry may need beside the guest's own memory, in MB. */
export const SENTRY_OVERHEAD_MB = 64;

/** What a run without a memory limit counts for: as much as one with the built-in default. */
const UNLIMITED_COUNTS_FOR_MB = 256;

/**
 * The memory set aside for one run, in MB. Pure.
 * @param memory_mb the run's limit; null for none
 */
export function reservedMemoryMb(memory_mb: number | null): number {
  return (memory_mb ?? UNLIMITED_COUNTS_FOR_MB) + SENTRY_OVERHEAD_MB;
}
