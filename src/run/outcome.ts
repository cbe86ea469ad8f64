import { constants } from "node:os";
import { BoxerError } from "../core/errors.ts";
import type { SandboxExit } from "../sandbox/inspect-exit.ts";
import type { RunResult } from "./types.ts";

/** What the end of a sandbox means for its run. */
export type Outcome = Pick<RunResult, "status" | "exit_code" | "signal" | "stdout" | "stderr">;

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNAL_BASE = 128;
const KILLED = SIGNAL_BASE + constants.signals.SIGKILL;

/** Some numbers have two names; the first is the usual one. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
);

/**
 * Tells what happened to the guest. Pure. The first reason to stop a run is its status; then a kill by the kernel for
 * want of memory, whatever gVisor said while it died of it; then faults of ours; the exit code speaks last.
 * @param command argv[0], for the words of a shell when it cannot be started
 * @throws BoxerError `sandbox_crashed` when the sentry crashed (a guest's own exit code 2 leaves no crash report), and
 *   `sandbox_failed` when runsc could not start the sandbox, `sandbox_not_started` when it hung
 */
export function outcomeOf(exit: SandboxExit, command: string): Outcome {
  const stdout = exit.stdout.bytes;
  const stderr = exit.stderr.bytes;
  const { code } = exit.status;
  // Where something of the sandbox was killed and the guest could still end with 0, that did it no harm.
  const stop = exit.stop ?? (exit.oomKilled && code !== 0 ? "oom_killed" : null);
  if (stop === "not_started") {
    throw new BoxerError("sandbox_not_started", "gVisor made no sandbox in all the time that it may take");
  }
  if (stop !== null) return { status: stop, exit_code: KILLED, signal: "SIGKILL", stdout, stderr };
  if (exit.panic !== null) {
    throw new BoxerError(
      "sandbox_crashed",
      `gVisor crashed while it ran the program: ${firstLine(exit.panic)}`,
    );
  }
  if (exit.startFailure !== null) return startFailureOutcome(exit, command);
  if (code === null) {
    throw new BoxerError(
      "sandbox_failed",
      `runsc was killed by ${exit.status.signal ?? "a signal"} from outside`,
    );
  }
  if (!exit.started) {
    throw new BoxerError("sandbox_failed", `runsc ended with exit code ${code} without a sandbox`);
  }
  if (code === 0) return { status: "ok", exit_code: 0, signal: null, stdout, stderr };
  const signal = signalNames.get(code - SIGNAL_BASE) ?? null;
  return { status: signal === null ? "nonzero_exit" : "signaled", exit_code: code, signal, stdout, stderr };
}

/** The status once /output has been captured: files beyond their limits count for a run that ended by itself. Pure. */
export function statusAfterCapture({ status }: Outcome, hasExcessFiles: boolean): RunResult["status"] {
  const endedByItself = status === "ok" || status === "nonzero_exit" || status === "signaled";
  return hasExcessFiles && endedByItself ? "output_files_limit" : status;
}

/** A command that cannot be started is the client's own affair, told as a shell tells it. */
function startFailureOutcome({ startFailure }: SandboxExit, command: string): Outcome {
  const shellWords = {
    command_not_found: [NOT_FOUND, "command not found"],
    not_executable: [NOT_EXECUTABLE, "cannot be executed"],
  } as const;
  const kind = startFailure?.kind;
  if (kind === "command_not_found" || kind === "not_executable") {
    const [exit_code, words] = shellWords[kind];
    const stderr = new TextEncoder().encode(`${command}: ${words}\n`);
    return { status: "nonzero_exit", exit_code, signal: null, stdout: new Uint8Array(), stderr };
  }
  throw new BoxerError(
    "sandbox_failed",
    `runsc could not start the sandbox: ${startFailure?.message ?? "no reason given"}`,
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
