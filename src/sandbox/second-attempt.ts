import { readdir } from "node:fs/promises";
import { BoxerError } from "../core/errors.ts";
import type { SandboxExit } from "./inspect-exit.ts";
import type { RunDirectory } from "./runsc.ts";
import type { Guest } from "./sandbox.ts";

/** How a sandbox is started once more. */
export interface SecondAttempt {
  readonly reason: "no_cwd" | "crash" | "hang";
  /** Mount a tmpfs at the working directory. */
  readonly makeCwd: boolean;
}

/** The names on the host of the further cgroups that a run may need, the last first. Pure. */
export function namesOfFurther(id: string): [third: string, second: string] {
  return [`${id}-3`, `${id}-2`];
}

/** What the gofer says of a working directory below a file, and in place of an input file. */
const CWD_FAULTS = ["resolving symlinks to", "creating working directory"].map(
  (stage) => `Error setting up root FS: ${stage}`,
);
/** A kernel makes what is there; no directory can be added. */
const KERNEL_PLACES = ["/proc", "/dev", "/sys"];

/**
 * Whether a sandbox deserves a second start: the image lacks the working directory, which only runsc can tell, so that
 * the usual run pays nothing for it; or gVisor hung, or crashed before anything could be seen of the run.
 * @throws BoxerError `invalid_request` for a working directory that cannot be made, `invalid_path` for an input that can
 *   be put nowhere
 */
export async function planSecondAttempt(
  exit: SandboxExit,
  guest: Guest,
  directory: RunDirectory,
): Promise<SecondAttempt | null> {
  if (exit.stop === "not_started" && !exit.oomKilled) return { reason: "hang", makeCwd: false };
  if (exit.stop !== null || exit.oomKilled) return null;
  if (exit.startFailure?.kind === "no_cwd") return planCwd(guest);
  if (exit.startFailure?.kind === "no_mount_point") refuseInput(exit.startFailure.message, guest);
  const place = JSON.stringify(guest.cwd);
  if (CWD_FAULTS.some((fault) => exit.startFailure?.message.startsWith(`${fault} ${place}`))) {
    throw refusedCwd(guest.cwd, "it cannot be a directory");
  }
  if (exit.panic === null || exit.stdout.bytes.length + exit.stderr.bytes.length > 0) return null;
  const isSeen = (await readdir(directory.output)).length > 0;
  return isSeen ? null : { reason: "crash", makeCwd: false };
}

/**
 * Whether a second attempt failed for the reason of the first.
 * @throws BoxerError `invalid_request` for a working directory that cannot be made
 */
export function checkSecondAttempt(exit: SandboxExit, { reason }: SecondAttempt, { cwd }: Guest): void {
  const kind = exit.startFailure?.kind;
  const isUnmade = reason === "no_cwd" && (kind === "other" || kind === "no_mount_point");
  if (kind === "no_cwd" || isUnmade) throw refusedCwd(cwd, "it cannot be a directory");
}

/** gVisor follows no link of the image to where a file is to appear, and needs a directory there. */
function refuseInput(message: string, { inputs }: Guest): void {
  const at = inputs.find(({ destination }) =>
    message.includes(`mount submount ${JSON.stringify(destination)}:`),
  );
  if (!at) return;
  const why = "the image has a link or a file in place of a directory above it";
  throw new BoxerError("invalid_path", `${at.destination} cannot be put there: ${why}`, { field: "files" });
}

function planCwd({ cwd }: Guest): SecondAttempt {
  const place = KERNEL_PLACES.find((each) => cwd.startsWith(`${each}/`));
  if (place) throw refusedCwd(cwd, `it is not there, and cannot be made below ${place}`);
  return { reason: "no_cwd", makeCwd: true };
}

function refusedCwd(cwd: string, reason: string): BoxerError {
  return new BoxerError("invalid_request", `cwd ${cwd}: ${reason}`, { field: "cwd" });
}
