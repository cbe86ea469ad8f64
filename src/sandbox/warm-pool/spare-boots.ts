/** How busy a machine is. */
export interface Load {
  /** CPUs of the machine. */
  readonly cores: number;
  /** Runs under way. */
  readonly active: number;
  /** Runs that wait. */
  readonly queued: number;
}

/**
 * How many sandboxes may be booting ahead at this moment. Pure.
 *
 * A boot ahead costs the CPU time that a cold start costs, so it is free where a core has nothing to do, and delays a run
 * where none has: one for each core without a run, and none while runs wait. So a pool refills under steady load as well,
 * as long as that leaves cores free. No more than half of the cores boot, rounded up: a boot goes on when a run comes, which
 * is to find a free one. (A machine of one core has none to keep free.)
 */
export function spareBoots({ cores, active, queued }: Load): number {
  if (queued > 0) return 0;
  return Math.max(0, Math.min(cores - active, Math.ceil(cores / 2)));
}
