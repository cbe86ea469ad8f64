import type { Logger } from "pino";

/** What a `CleanupStack` tells of an undo that fails: an error in the log, by the name of the resource. */
export function logLeftover(log: Logger): (label: string, error: unknown) => void {
  return (label, err) => log.error({ err }, `Cannot give back the ${label}`);
}
