import { readFile } from "node:fs/promises";
import type { TestContext } from "./temp-directory.ts";

/** Whether a process exists and is not merely waiting to be reaped (proc(5), state Z). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}

/** Kills a process after the test, should it still be there. */
export function killAfter(t: TestContext, pid: number): void {
  t.after(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  });
}
