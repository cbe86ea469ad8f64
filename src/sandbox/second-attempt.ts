import { readdir } from "node:fs/promises";
import { BoxerError } from "../core/errors.ts";
import type { RunDirectory } from "./runsc.ts";
import type { Guest, SandboxExit } from "./sandbox.ts";

/** How a sandbox is started once more. */
export interface SecondAttempt {
  readonly reason: "no_cwd" | "crash";
  /** Mount a tmpfs at the working directory. */
  readonly makeCwd: boolean;
}

/** What the gofer says of a working directory below a file. */
const UNRESOLVED = "Error setting up root FS: resolving symlinks to";
/** A kernel makes what is there; no directory can be added. */
const KERNEL_PLACES = ["/proc", "/dev", "/sys"];

/**
 * Whether a sandbox deserves a second start: the image lacks the working directory, which only runsc can tell, so that
 * the usual run pays nothing for it; or the sentry crashed before anything could be seen of the run.
 * @throws BoxerError `invalid_request` for a working directory that cannot be made
 */
export async function planSecondAttempt(
  exit: SandboxExit,
  guest: Guest,
  directory: RunDirectory,
): Promise<SecondAttempt | null> {
  if (exit.stop !== null || exit.oomKilled) return null;
  if (exit.startFailure?.kind === "no_cwd") return planCwd(guest);
  if (exit.startFailure?.message.startsWith(`${UNRESOLVED} ${JSON.stringify(guest.cwd)}`)) {
    throw refusedCwd(guest.cwd, "it cannot be a directory");
  }
  if (exit.panic === null || exit.stdout.bytes.length + exit.stderr.bytes.length > 0) return null;
  const isSeen = (await readdir(directory.output)).length > 0;
  return isSeen ? null : { reason: "crash", makeCwd: false };
}

function planCwd({ cwd }: Guest): SecondAttempt {
  const place = KERNEL_PLACES.find((each) => cwd.startsWith(`${each}/`));
  if (place) throw refusedCwd(cwd, `it is not there, and cannot be made below ${place}`);
  return { reason: "no_cwd", makeCwd: true };
}

function refusedCwd(cwd: string, reason: string): BoxerError {
  return new BoxerError("invalid_request", `cwd ${cwd}: ${reason}`, { field: "cwd" });
}
