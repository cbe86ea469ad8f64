import { existsSync } from "node:fs";
import type { Watch } from "./run-process.ts";

/** Between two looks for the sandbox; the sooner it is seen, the sooner it may have all CPUs. */
const LOOK_INTERVAL_MS = 5;

/**
 * Does something as soon as runsc has written its pid file: the sandbox is there then, the guest about to start.
 * @returns how to stop looking
 */
export function onceStarted(pidFile: string, action: () => Promise<void>): () => void {
  const timer = setInterval(() => {
    if (!existsSync(pidFile)) return;
    clearInterval(timer);
    // A run that is over already has no use for it.
    action().catch(() => {});
  }, LOOK_INTERVAL_MS);
  return () => clearInterval(timer);
}

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
