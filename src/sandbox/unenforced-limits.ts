import type { RunLimits } from "../config/config.ts";
import { BoxerError } from "../core/errors.ts";
import type { EnforcedLimits } from "./cgroup/types.ts";

const ENFORCED_BY = [
  ["memory_mb", "memory"],
  ["cpu_cores", "cpu"],
] as const;

/**
 * What a run must be told of limits that its host does not hold it to. Pure. `pids_limit` is not among them: the sandbox
 * itself enforces it, and so it does `nofile`.
 * @returns one sentence for each, beginning with the field
 */
export function unenforcedLimits(
  limits: Pick<RunLimits, "memory_mb" | "cpu_cores">,
  enforced: Pick<EnforcedLimits, "memory" | "cpu">,
): string[] {
  return ENFORCED_BY.filter(([key, controller]) => limits[key] !== null && !enforced[controller]).map(
    ([key, controller]) =>
      `limits.${key} (${limits[key]}) is not enforced: the server has no ${controller} cgroup`,
  );
}

/**
 * Refuses a run with limits that its host does not hold it to.
 * @throws BoxerError `limit_unenforceable`, naming the first such field
 */
export function refuseUnenforced(...[limits, enforced]: Parameters<typeof unenforcedLimits>): void {
  const [first] = unenforcedLimits(limits, enforced);
  if (first === undefined) return;
  throw new BoxerError("limit_unenforceable", first, { field: first.split(" ", 1)[0] });
}
