import type { ImageSummary } from "../types.ts";

/** When an image was of use last: run, or else pulled. In milliseconds since 1970. Pure. */
export function lastUse({ last_used_at_ms = 0, pulled_at_ms }: ImageSummary): number {
  return Math.max(last_used_at_ms, pulled_at_ms);
}
