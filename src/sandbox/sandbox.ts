import { readFile, rm, writeFile } from "node:fs/promises";
import { BoxerError, errnoOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { type ProcessExit, type ProcessLimits, runProcess } from "./run-process.ts";
import { type RunDirectory, type RunscOptions, runscRunArgv } from "./runsc.ts";
import { planSecondAttempt } from "./second-attempt.ts";
import { buildSpec, type SpecInput } from "./spec.ts";
import { parseStartFailure, RUNSC_FAILURE_EXIT_CODE, type StartFailure } from "./start-failure.ts";
import { removeStrayCgroups } from "./sweep.ts";

/** How a sandbox ended. */
export interface SandboxExit extends ProcessExit {
  /** Why the guest never started, or null when it did. */
  readonly startFailure: StartFailure | null;
  /** What the Go runtime said when the sentry crashed, or null when it did not. */
  readonly panic: string | null;
}

/** Runs sandboxes. */
export interface Sandbox {
  /**
   * Runs one guest to its end in a directory that exists and holds nothing of another run.
   * @throws BoxerError `runsc_missing`, or `invalid_request` for a working directory that cannot be; Error when runsc
   *   cannot be killed, or the directory cannot be written
   */
  run(directory: RunDirectory, guest: Guest, limits: ProcessLimits): Promise<SandboxExit>;
}

/** What to run. */
export interface Guest extends Omit<SpecInput, "makeCwd" | "outputDirectory" | "cgroupsPath" | "emptyRoot"> {
  /** Names the run to runsc and on the host; unique among the sandboxes of the machine. */
  id: string;
  stdin: Uint8Array | undefined;
}

/** Most of a crash report that is kept; the head names the panic. */
const PANIC_KEPT_CHARS = 4096;
/** How the Go runtime begins to tell of a crash; the sentry writes other complaints into the same file. */
const CRASH = /^(panic|fatal error|runtime|unexpected fault|SIG[A-Z]+|goroutine \d+)\b/m;

/**
 * @param options.cgroupMount where the cgroup hierarchies are mounted; the usual place by default
 * @param options.emptyRoot an empty directory that all runs share as their formal root
 */
export function createSandbox(options: {
  platform: Platform;
  runsc: RunscOptions;
  emptyRoot: string;
  cgroupMount?: string;
}): Sandbox {
  const { platform, runsc, emptyRoot, cgroupMount } = options;

  async function attempt(directory: RunDirectory, guest: Guest, limits: ProcessLimits, makeCwd: boolean) {
    const spec = buildSpec({
      ...guest,
      makeCwd,
      emptyRoot,
      outputDirectory: directory.output,
      cgroupsPath: runsc.ignore_cgroups ? null : `/boxer/${guest.id}`,
    });
    await writeFile(`${directory.bundle}/config.json`, JSON.stringify(spec));
    const argv = runscRunArgv(runsc, directory, containerIdOf(guest.id));
    try {
      return await inspect(directory, await runProcess(platform, argv, guest.stdin, limits));
    } catch (error) {
      throw spawnFault(error, runsc.path);
    } finally {
      // A runsc that was stopped while it started its sandbox leaves the cgroup behind.
      if (!runsc.ignore_cgroups) await removeStrayCgroups([guest.id], cgroupMount);
    }
  }

  return {
    async run(directory, guest, limits) {
      const first = await attempt(directory, guest, limits, false);
      const second = await planSecondAttempt(first, guest, directory);
      if (second === null) return first;
      const leftovers = [directory.log, directory.panicLog, directory.state];
      await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
      const exit = await attempt(directory, guest, remaining(limits, first.wall_ms), second.makeCwd);
      if (
        exit.startFailure?.kind === "no_cwd" ||
        (second.reason === "no_cwd" && exit.startFailure?.kind === "other")
      ) {
        throw new BoxerError("invalid_request", `cwd ${guest.cwd} cannot be a directory there`, {
          field: "cwd",
        });
      }
      return exit;
    },
  };
}

/** The wall clock counts from the first start. */
function remaining(limits: ProcessLimits, used_ms: number): ProcessLimits {
  const { wall_clock_ms } = limits;
  return wall_clock_ms === null ? limits : { ...limits, wall_clock_ms: Math.max(1, wall_clock_ms - used_ms) };
}

function spawnFault(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== "ENOENT" && errno !== "EACCES") return error;
  return new BoxerError("runsc_missing", `Cannot start runsc at ${path}: ${errno}`, { cause: error });
}

/** The tail of an exec id: runsc puts it into the name of a socket, whose path must stay short. */
function containerIdOf(id: string): string {
  return id.slice(-12);
}

async function inspect(directory: RunDirectory, exit: ProcessExit): Promise<SandboxExit> {
  const { code } = exit.status;
  const startFailure =
    code === RUNSC_FAILURE_EXIT_CODE ? parseStartFailure(await readIfAny(directory.log)) : null;
  const report = code === 0 ? "" : await readIfAny(directory.panicLog);
  return { ...exit, startFailure, panic: CRASH.test(report) ? report.slice(0, PANIC_KEPT_CHARS) : null };
}

async function readIfAny(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
