import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { signalAll } from "./process-tree.ts";

/** How long killed sandboxes may take to vanish. */
const VANISH_ATTEMPTS = 200;
const VANISH_PAUSE_MS = 25;

/**
 * Ends the sandboxes that an earlier server, killed with SIGKILL, left running.
 * @param runsDirectory every sandbox of ours carries it in its command line, as runsc's `--root`
 * @returns how many processes there were
 * @throws Error when some survive SIGKILL
 */
export async function killStraySandboxes(runsDirectory: string): Promise<number> {
  const strays = await findStrays(runsDirectory);
  for (let attempt = 0; attempt < VANISH_ATTEMPTS; attempt += 1) {
    const left = attempt === 0 ? strays : await findStrays(runsDirectory);
    if (left.length === 0) return strays.length;
    signalAll(left, "SIGKILL");
    await sleep(VANISH_PAUSE_MS);
  }
  throw new Error(`Sandboxes of an earlier server survive SIGKILL below ${runsDirectory}`);
}

async function findStrays(runsDirectory: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const prefix = `--root=${runsDirectory}/`;
  const mine = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return commandLine.split("\0").some((argument) => argument.startsWith(prefix));
    }),
  );
  return pids.filter((pid, index) => mine[index] && pid !== process.pid);
}
