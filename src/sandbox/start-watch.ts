import { existsSync } from "node:fs";
import type { Watch } from "./run-process.ts";

/**
 * Sees a runsc that hangs before there is a sandbox. Looks once only: what was there in time may go on.
 * @param limit_ms how long the sandbox may take, from now on
 */
export function startWatch(pidFile: string, limit_ms: number): Watch {
  const deadline = performance.now() + limit_ms;
  let isDone = false;
  return async () => {
    if (isDone || performance.now() < deadline) return null;
    isDone = true;
    return existsSync(pidFile) ? null : "not_started";
  };
}
