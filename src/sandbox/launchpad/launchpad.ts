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

/** What a sandbox needs that no request changes; used for one run and then given back. */
export interface Launchpad {
  /** Names its directory, cgroups and container; unique on the machine. */
  readonly id: string;
  readonly directory: RunDirectory;
  /** Tells when the guest has put more into /output than it may: to be asked while it runs, and once when it has ended. */
  readonly outputFull: Watch;
  readonly cgroup: RunCgroup;
  readonly launcher: Launcher;
  /** Gives all of it back. */
  readonly cleanup: CleanupStack;
}

/** What launchpads are made with. */
export interface LaunchpadParts {
  readonly platform: Platform;
  readonly runsc: RunscOptions;
  readonly cgroups: Cgroups;
  /** Holds one directory for each. */
  readonly runsDirectory: string;
  readonly room: OutputRoom;
  readonly shows_memory_total: boolean;
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
    const { platform, cgroups, shows_memory_total } = parts;
    const path = join(parts.runsDirectory, id);
    const { directory, outputFull } = await makeRunDirectory(path, NOBODY, parts.room, platform, cleanup);
    const cgroup = await cgroups.create(id);
    cleanup.defer("cgroup", () => cgroup.remove());
    const command = runscRunArgv(parts.runsc, directory, id);
    const launcher = await startLauncher(platform, { directory, cgroup, command, shows_memory_total });
    cleanup.defer("launcher", () => launcher.dismiss());
    return { id, directory, outputFull, cgroup, launcher, cleanup };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** Lets /output belong to another user than the usual one; nothing has been put there yet. @throws what chown(2) gives */
export async function giveOutput({ directory }: Launchpad, { uid, gid }: GuestUser): Promise<void> {
  const isUsual = uid === NOBODY.uid && gid === NOBODY.gid;
  if (!isUsual && process.geteuid?.() === 0) await chown(directory.output, uid, gid);
}
