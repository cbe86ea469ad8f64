import { readFile, writeFile } from "node:fs/promises";

/** Spared by the kernel's OOM killer before nearly anything else (oom_score_adj, proc(5)). */
const PROTECTED = -900;

/**
 * Makes the kernel spare the service when the host runs out of memory. Needs CAP_SYS_RESOURCE; without it, or where the
 * operator has seen to that already, all stays as it is. Sandboxes do not inherit it: `enterArgv` sees to that.
 * @param file for tests to stand in for
 * @returns how to undo it
 */
export async function protectFromOom(file = "/proc/self/oom_score_adj"): Promise<() => Promise<void>> {
  try {
    const before = Number(await readFile(file, "utf8"));
    if (before <= PROTECTED) return async () => {};
    await writeFile(file, String(PROTECTED));
    return () => writeFile(file, String(before));
  } catch {
    return async () => {};
  }
}
