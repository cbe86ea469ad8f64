import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CgroupUsage, RunCgroup } from "./cgroup/types.ts";
import { NOT_MOUNTED } from "./overlay-root.ts";
import type { ProcessExit } from "./run-process.ts";
import type { RunDirectory } from "./runsc.ts";
import { parseStartFailure, RUNSC_FAILURE_EXIT_CODE, type StartFailure } from "./start-failure.ts";

/** How a sandbox ended. */
export interface SandboxExit extends ProcessExit {
  /** Whether there was a sandbox at all: a runsc that never made one has nothing to say of a guest. */
  readonly started: boolean;
  /** Why the guest never started, or null when it did. */
  readonly startFailure: StartFailure | null;
  /** What the Go runtime said when the sentry crashed, or null when it did not. */
  readonly panic: string | null;
  /** Whether the kernel killed something of the sandbox for want of memory. */
  readonly oomKilled: boolean;
  /** What the sandbox used, its own share included; null where it has no cgroup. */
  readonly usage: CgroupUsage | null;
  /** Whether it had been booted ahead. */
  readonly warm: boolean;
}

/** Most of a crash report that is kept; the head names the panic. */
const PANIC_KEPT_CHARS = 4096;
/** How the Go runtime begins to tell of a crash; the sentry writes other complaints into the same file. */
const CRASH = /^(panic|fatal error|runtime|unexpected fault|SIG[A-Z]+|goroutine \d+)\b/m;

/** Finds out what the exit of runsc means. */
export async function inspectExit(
  directory: RunDirectory,
  exit: ProcessExit,
  cgroup: RunCgroup,
): Promise<SandboxExit> {
  const { code } = exit.status;
  const log = code === 0 ? "" : await readIfAny(directory.log);
  const hasFailed = code === RUNSC_FAILURE_EXIT_CODE || log === NOT_MOUNTED;
  const startFailure = hasFailed ? parseStartFailure(log) : null;
  const report = code === 0 ? "" : await readIfAny(directory.panicLog);
  const panic = CRASH.test(report) ? report.slice(0, PANIC_KEPT_CHARS) : null;
  const [oomKilled, usage] = await Promise.all([cgroup.oomKilled(), cgroup.usage()]);
  return {
    ...exit,
    started: existsSync(directory.pidFile),
    startFailure,
    panic,
    oomKilled,
    usage,
    warm: false,
  };
}

async function readIfAny(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
