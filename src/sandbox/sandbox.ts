import { constants, existsSync } from "node:fs";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Config } from "../config/config.ts";
import type { CleanupStack } from "../core/cleanup-stack.ts";
import { BoxerError, errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Cgroups, CgroupUsage, EnforcedLimits, RunCgroup } from "./cgroup/types.ts";
import { withMemoryTotal, writeMemoryTotal } from "./guest-memory.ts";
import { NOT_MOUNTED, overlayRootOf, withOverlayRoot } from "./overlay-root.ts";
import { type ProcessExit, type ProcessLimits, runProcess, type Watch } from "./run-process.ts";
import { type RunDirectory, type RunscOptions, runscRunArgv } from "./runsc.ts";
import { checkSecondAttempt, nameOfSecond, planSecondAttempt } from "./second-attempt.ts";
import { buildSpec, type SpecInput } from "./spec.ts";
import { parseStartFailure, RUNSC_FAILURE_EXIT_CODE, type StartFailure } from "./start-failure.ts";
import { onceStarted, startWatch } from "./start-watch.ts";
import { refuseUnenforced } from "./unenforced-limits.ts";

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
}

/** Runs sandboxes. */
export interface Sandbox {
  /** Which limits the host holds runs to. */
  readonly enforced: EnforcedLimits;
  /**
   * Runs one guest to its end in a directory that exists and holds nothing of another run.
   * @param cleanup takes the removal of its cgroups, which the answer need not wait for
   * @throws BoxerError `runsc_missing`, `limit_unenforceable` where the operator wants that, `sandbox_failed` without a
   *   cgroup, or `invalid_request` for a working directory that cannot be; Error when runsc cannot be killed, or the
   *   directory cannot be written
   */
  run(
    directory: RunDirectory,
    guest: Guest,
    limits: ProcessLimits,
    cleanup: CleanupStack,
  ): Promise<SandboxExit>;
}

/** What to run. */
export interface Guest extends Omit<SpecInput, "makeCwd" | "outputDirectory" | "emptyRoot"> {
  /** Names the run to runsc and on the host; unique among the sandboxes of the machine. */
  id: string;
  stdin: Uint8Array | undefined;
}

/** Most of a crash report that is kept; the head names the panic. */
const PANIC_KEPT_CHARS = 4096;
/** How the Go runtime begins to tell of a crash; the sentry writes other complaints into the same file. */
const CRASH = /^(panic|fatal error|runtime|unexpected fault|SIG[A-Z]+|goroutine \d+)\b/m;

/** How long a sandbox may take to be there, on a machine that is far too busy; past it runsc itself hangs. */
const START_LIMIT_MS = 15_000;
/** The exit codes of a shell for what it cannot execute, and cannot find. */
const SHELL_FAILURES: readonly (number | null)[] = [126, 127];

/**
 * @param options.emptyRoot an empty directory that all runs share as their formal root
 * @param options.start_limit_ms how long a sandbox may take to be there
 * @param options.shows_memory_total whether guests can be shown their memory limit; see `canShowMemoryTotal`
 * @param options.unenforced_limits what becomes of runs with limits that nothing enforces
 */
export function createSandbox(options: {
  platform: Platform;
  runsc: RunscOptions;
  emptyRoot: string;
  cgroups: Cgroups;
  unenforced_limits: Config["unenforced_limits"];
  shows_memory_total: boolean;
  start_limit_ms?: number;
}): Sandbox {
  const { platform, runsc, emptyRoot, cgroups, start_limit_ms = START_LIMIT_MS } = options;

  async function argvOf(directory: RunDirectory, guest: Guest): Promise<string[]> {
    const { memory_mb } = guest.limits;
    const argv = await rootedArgvOf(directory, guest);
    if (!options.shows_memory_total || memory_mb === null) return argv;
    await writeMemoryTotal(directory.meminfo, memory_mb);
    return withMemoryTotal(argv, directory.meminfo);
  }

  async function rootedArgvOf(directory: RunDirectory, guest: Guest): Promise<string[]> {
    const argv = runscRunArgv(runsc, directory, containerIdOf(guest.id));
    if (guest.rootfsType === "erofs") return argv;
    await mkdir(directory.root, { recursive: true });
    await writeFile(directory.log, NOT_MOUNTED);
    return withOverlayRoot(argv, guest.rootfs, directory, runsc.rootless);
  }

  /** A sandbox boots within its run's share of the CPU. */
  function startLimit({ limits: { cpu_cores } }: Guest): number {
    return start_limit_ms / Math.min(1, cpu_cores ?? 1);
  }

  async function cgroupOf(name: string, guest: Guest, cleanup: CleanupStack): Promise<RunCgroup> {
    const cgroup = await cgroups.create(name, guest.limits);
    cleanup.defer("cgroup", () => cgroup.remove());
    return cgroup;
  }

  async function attempt(
    directory: RunDirectory,
    guest: Guest,
    limits: ProcessLimits,
    cgroup: RunCgroup,
    makeCwd: boolean,
  ): Promise<SandboxExit> {
    const spec = buildSpec({
      ...guest,
      ...(guest.rootfsType === "directory" ? { rootfs: overlayRootOf(directory) } : {}),
      makeCwd,
      emptyRoot,
      outputDirectory: directory.output,
    });
    await writeFile(`${directory.bundle}/config.json`, JSON.stringify(spec));
    const argv = cgroup.argv(await argvOf(directory, guest), directory.log);
    const watched = {
      ...limits,
      watches: [
        ...(limits.watches ?? []),
        oomWatch(cgroup),
        startWatch(directory.pidFile, startLimit(guest)),
      ],
    };
    const stopLooking = cgroup.widen ? onceStarted(directory.pidFile, cgroup.widen) : () => {};
    try {
      const exit = await runProcess(platform, argv, guest.stdin, watched);
      if (SHELL_FAILURES.includes(exit.status.code)) await access(runsc.path, constants.X_OK);
      return await inspect(directory, exit, cgroup);
    } catch (error) {
      throw spawnFault(error, runsc.path);
    } finally {
      stopLooking();
    }
  }

  return {
    enforced: cgroups.enforced,
    async run(directory, guest, limits, cleanup) {
      if (options.unenforced_limits === "refuse") refuseUnenforced(guest.limits, cgroups.enforced);
      const cgroup = await cgroupOf(guest.id, guest, cleanup);
      const first = await attempt(directory, guest, limits, cgroup, false);
      const second = await planSecondAttempt(first, guest, directory);
      if (second === null) return first;
      const leftovers = [directory.log, directory.panicLog, directory.pidFile, directory.state];
      await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
      const another = await cgroupOf(nameOfSecond(guest.id), guest, cleanup);
      // A program that never was has used no time.
      const left = second.reason === "hang" ? limits : remaining(limits, first.wall_ms);
      const exit = await attempt(directory, guest, left, another, second.makeCwd);
      checkSecondAttempt(exit, second, guest);
      return exit;
    },
  };
}

/** The kernel may have killed a part of the sandbox that the rest waits for in vain. */
function oomWatch(cgroup: RunCgroup): Watch {
  return async () => ((await cgroup.oomKilled()) ? "oom_killed" : null);
}

/** The wall clock counts from the first start. */
function remaining(limits: ProcessLimits, used_ms: number): ProcessLimits {
  const { wall_clock_ms } = limits;
  return wall_clock_ms === null ? limits : { ...limits, wall_clock_ms: Math.max(1, wall_clock_ms - used_ms) };
}

function spawnFault(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== "ENOENT" && errno !== "EACCES") return error;
  return new BoxerError("runsc_missing", `Cannot start ${basename(path)}: ${errno}`, { cause: error });
}

/** The tail of an exec id: runsc puts it into the name of a socket, whose path must stay short. */
function containerIdOf(id: string): string {
  return id.slice(-12);
}

async function inspect(directory: RunDirectory, exit: ProcessExit, cgroup: RunCgroup): Promise<SandboxExit> {
  const { code } = exit.status;
  const log = code === 0 ? "" : await readIfAny(directory.log);
  const hasFailed = code === RUNSC_FAILURE_EXIT_CODE || log === NOT_MOUNTED;
  const startFailure = hasFailed ? parseStartFailure(log) : null;
  const report = code === 0 ? "" : await readIfAny(directory.panicLog);
  const panic = CRASH.test(report) ? report.slice(0, PANIC_KEPT_CHARS) : null;
  const [oomKilled, usage] = await Promise.all([cgroup.oomKilled(), cgroup.usage()]);
  return { ...exit, started: existsSync(directory.pidFile), startFailure, panic, oomKilled, usage };
}

async function readIfAny(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
