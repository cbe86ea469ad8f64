import type { ErrorCode } from "../../core/errors.ts";

/**
 * How a run ended that has no result: stopped before its program had started, refused for what its request asks, or
 * failed by a fault of Boxer, its host or a registry.
 */
export type FaultStatus = "canceled" | "refused" | "sandbox_error";

/** What a run can still be refused for once it has been taken in. */
const REFUSALS: readonly ErrorCode[] = [
  "invalid_request",
  "invalid_path",
  "unknown_file",
  "invalid_image_reference",
  "image_not_allowed",
  "user_not_allowed",
  "network_not_allowed",
  "network_unavailable",
  "limit_unenforceable",
  "queue_full",
  "draining",
];

/** The status of a run that failed with this code. Pure. */
export function faultStatus(code: ErrorCode): FaultStatus {
  if (code === "canceled") return "canceled";
  return REFUSALS.includes(code) ? "refused" : "sandbox_error";
}
