import type { Config, RunLimits, StatedLimits } from "../config/config.ts";
import { SENTRY_OVERHEAD_MB } from "../config/reserved-memory.ts";
import { BoxerError } from "../core/errors.ts";

/** What bounds the limits that a request may state. */
export type LimitBounds = Pick<Config, "max_limits" | "max_reserved_memory_mb">;

/**
 * Refuses limits over the operator's, and a run that could never have its memory. What a request does not state is the
 * configuration's own affair.
 * @throws BoxerError `invalid_request`, naming the field and the maximum
 */
export function checkLimits(stated: StatedLimits, { max_limits, max_reserved_memory_mb }: LimitBounds): void {
  const most_memory_mb = max_reserved_memory_mb - SENTRY_OVERHEAD_MB;
  const memory_mb = Math.min(max_limits.memory_mb ?? most_memory_mb, most_memory_mb);
  for (const [key, maximum] of Object.entries({ ...max_limits, memory_mb })) {
    const value = stated[key as keyof RunLimits];
    if (maximum === null || value == null || value <= maximum) continue;
    const field = `limits.${key}`;
    throw new BoxerError("invalid_request", `${field} must be <= ${maximum} on this server`, { field });
  }
}
