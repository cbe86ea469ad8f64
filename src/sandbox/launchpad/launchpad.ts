import { chown } from "node:fs/promises";
import { join } from "node:path";
import { CleanupStack } from "../../core/cleanup-stack.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Cgroups, RunCgroup } from "../cgroup/types.ts";
import type { OutputRoom } from "../output-watch.ts";
import { makeRunDirectory } from "../run-directory.ts";
import type { Watch } from "../run-process.ts";
import { type RunDirectory, type RunscOptions, runscRunArgv } from "../runsc.ts";
import { type GuestUser, NOBODY } from "../spec.ts";
import { type Launcher, startLauncher } from "./launcher.ts";

/** What one start of runsc has of its own. */
export interface Start {
  readonly cgroup: RunCgroup;
  readonly launcher: Launcher;
}

/** What a sandbox needs that no request changes; used for one run and then given back. */
export interface Launchpad extends Start {
  /** Names its directory, cgroups and container; unique on the machine. */
  readonly id: string;
  readonly directory: RunDirectory;
  /** Tells when the guest has put more into /output than it may: to be asked while it runs, and once when it has ended. */
  readonly outputFull: Watch;
  /** Gives all of it back. */
  readonly cleanup: CleanupStack;
}

/** What starts are made with. */
export interface StartParts {
  readonly platform: Platform;
  readonly runsc: RunscOptions;
  readonly cgroups: Cgroups;
  /** Whether guests can be shown their memory limit; see `canShowMemoryTotal`. */
  readonly shows_memory_total: boolean;
}

/** What launchpads are made with. */
export interface LaunchpadParts extends StartParts {
  /** Holds one directory for each. */
  readonly runsDirectory: string;
  /** Holds one for each that has something for its guest to read: on the file system of the file store. */
  readonly inputsDirectory: string;
  readonly room: OutputRoom;
  /** Is told what cannot be given back. */
  onLeftover(label: string, error: unknown): void;
}

/**
 * Makes a launchpad: directory, mount of /output, cgroups, and the process that becomes runsc.
 * @throws BoxerError `sandbox_failed`, and what mkdir(2), mount(2) and spawn give; then nothing stays behind
 */
export async function makeLaunchpad(parts: LaunchpadParts, id: string): Promise<Launchpad> {
  const cleanup = new CleanupStack(parts.onLeftover);
  try {
    const path = join(parts.runsDirectory, id);
    const inPath = join(parts.inputsDirectory, id);
    const made = await makeRunDirectory(path, inPath, NOBODY, parts.room, parts.platform, cleanup);
    const pad = { id, ...made, cleanup };
    return { ...pad, ...(await makeStart(parts, pad, id)) };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/**
 * Makes what a start of runsc has of its own, in a launchpad that is given it back with the rest.
 * @param name of the cgroups
 * @throws BoxerError `sandbox_failed`, and what spawn gives
 */
export async function makeStart(
  { platform, runsc, cgroups, shows_memory_total }: StartParts,
  { id, directory, cleanup }: Pick<Launchpad, "id" | "directory" | "cleanup">,
  name: string,
): Promise<Start> {
  const cgroup = await cgroups.create(name);
  cleanup.defer("cgroup", () => cgroup.remove());
  const command = runscRunArgv(runsc, directory, id);
  const launcher = await startLauncher(platform, { directory, cgroup, command, shows_memory_total });
  cleanup.defer("launcher", () => launcher.dismiss());
  return { cgroup, launcher };
}

/** Lets /output belong to another user than the usual one; nothing has been put there yet. @throws what chown(2) gives */
export async function giveOutput({ directory }: Launchpad, { uid, gid }: GuestUser): Promise<void> {
  const isUsual = uid === NOBODY.uid && gid === NOBODY.gid;
  if (!isUsual && process.geteuid?.() === 0) await chown(directory.output, uid, gid);
}
