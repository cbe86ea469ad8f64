import type { CpuAccount } from "./cpu-account.ts";
import type { LoopDelay } from "./loop-delay.ts";
import { peakMemoryMb, processCpuMs, resetPeakMemory } from "./proc-counters.ts";
import { timed } from "./timed.ts";

/** What a window of runs did. */
export interface Load {
  readonly runs_per_s: number;
  /** How long each run took. */
  readonly times_ms: readonly number[];
  /** Of all that the account knows of, without this process. */
  readonly cpu_ms_per_run: number;
  /** Of the watched process itself; null where none was watched. */
  readonly service_cpu_ms_per_run: number | null;
  readonly peak_memory_mb: number | null;
  /** Of its event loop in this window, at worst. */
  readonly loop_delay: LoopDelay | null;
}

/** A service that is looked at from outside. */
export interface Watched {
  readonly pid: number;
  takeLoopDelay(): Promise<LoopDelay>;
}

export interface LoadOptions {
  readonly concurrency: number;
  readonly seconds: number;
  readonly watched: Watched | null;
  readonly account: CpuAccount;
}

/**
 * Keeps so many runs going at a time for so long, and lets those that have begun end.
 * @param account tells the processor time that was used
 * @param watched the service, or null
 * @param run one run, given which of the concurrent ones it is
 */
export async function measureLoad(
  { concurrency, seconds, watched, account }: LoadOptions,
  run: (slot: number) => Promise<void>,
): Promise<Load> {
  const pid = watched?.pid ?? null;
  if (pid !== null) await resetPeakMemory(pid);
  await watched?.takeLoopDelay();
  const before = await look(pid, account);
  const deadline = before.at_ms + 1000 * seconds;
  const times_ms: number[] = [];
  const worker = async (_: unknown, slot: number): Promise<void> => {
    while (performance.now() < deadline) {
      times_ms.push(await timed(() => run(slot)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const after = await look(pid, account);
  const runs = times_ms.length;
  return {
    times_ms,
    runs_per_s: (1000 * runs) / (after.at_ms - before.at_ms),
    cpu_ms_per_run: (after.busy_ms - before.busy_ms - (after.own_ms - before.own_ms)) / runs,
    service_cpu_ms_per_run: pid === null ? null : (after.service_ms - before.service_ms) / runs,
    peak_memory_mb: pid === null ? null : await peakMemoryMb(pid),
    loop_delay: (await watched?.takeLoopDelay()) ?? null,
  };
}

async function look(pid: number | null, account: CpuAccount) {
  const { user, system } = process.cpuUsage();
  const [busy_ms, service_ms] = await Promise.all([account.used_ms(), pid === null ? 0 : processCpuMs(pid)]);
  return { at_ms: performance.now(), busy_ms, service_ms, own_ms: (user + system) / 1000 };
}
