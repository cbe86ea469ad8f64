import { mkdirSync, writeFileSync } from "node:fs";
import type { CgroupLimits } from "./cgroup/types.ts";
import { type NetworkMode, withHiddenSysctl } from "./guest-network.ts";
import type { Launchpad, Start } from "./launchpad/launchpad.ts";
import { NOT_MOUNTED, overlayRootOf, withOverlayRoot } from "./overlay-root.ts";
import { type RunDirectory, type RunscOptions, runscRunArgv } from "./runsc.ts";
import type { SpecInput } from "./spec.ts";

/** The image of a sandbox. */
export type RootImage = Pick<SpecInput, "rootfs" | "rootfsType">;

/** How a sandbox is connected. */
export interface NetworkStart {
  readonly mode: NetworkMode;
  /** An empty directory, where runsc mistakes network namespaces; see `withHiddenSysctl`. Null: it does not. */
  readonly hidden_by: string | null;
}

/** What a sandbox is started with. */
export interface BundleStart {
  readonly image: RootImage;
  /** The OCI runtime configuration; its root is what {@link rootOf} says. */
  readonly spec: object;
  readonly limits: CgroupLimits;
  readonly stdin: Uint8Array | undefined;
  /** Absent: loopback only. */
  readonly network?: NetworkStart;
  /** Leaves its stdin open. */
  readonly keepsInput: boolean;
}

/** The image as the sandbox itself is to see it. Pure. */
export function rootOf({ rootfs, rootfsType }: RootImage, directory: RunDirectory): RootImage {
  return { rootfsType, rootfs: rootfsType === "directory" ? overlayRootOf(directory) : rootfs };
}

/**
 * Writes the bundle, binds the cgroup, and then has what waits become runsc.
 * @returns lets it go, to be called once
 * @throws BoxerError as `RunCgroup.bound`, and what writing gives
 */
export async function prepareStart(
  runsc: RunscOptions,
  { directory, id }: Pick<Launchpad, "directory" | "id">,
  { cgroup, launcher }: Start,
  { image, spec, limits, stdin, network, keepsInput }: BundleStart,
): Promise<() => Promise<void>> {
  const isDirectory = image.rootfsType === "directory";
  writeFileSync(`${directory.bundle}/config.json`, JSON.stringify(spec));
  if (isDirectory) {
    writeFileSync(directory.log, NOT_MOUNTED);
    mkdirSync(directory.root, { recursive: true });
  }
  await cgroup.bound(limits);
  const run = runscRunArgv(runsc, directory, id, network?.mode);
  const rooted = isDirectory ? withOverlayRoot(run, image.rootfs, directory, runsc.rootless) : run;
  const hidden_by = network?.mode === "sandbox" ? network.hidden_by : null;
  const command = hidden_by === null ? rooted : withHiddenSysctl(rooted, hidden_by);
  const isUsual = !isDirectory && (network?.mode ?? "none") === "none";
  const launch = { memory_mb: limits.memory_mb, stdin, ...(isUsual ? {} : { command }) };
  return () => launcher.launch(launch, keepsInput);
}
