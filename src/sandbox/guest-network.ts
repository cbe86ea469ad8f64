import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { bindOver } from "./bind-over.ts";

/** What a guest is connected to: nothing but its own loopback, a network namespace that was made for it, or the host's. */
export type NetworkMode = "none" | "sandbox" | "host";

/** A file of the host that a guest finds at a place of its own. */
export interface GuestFile {
  readonly source: string;
  readonly destination: string;
}

/** The network of a guest. */
export interface GuestNetwork {
  readonly mode: NetworkMode;
  /** Of its network namespace; null unless one was made for it. */
  readonly netns_path: string | null;
  /** What its programs look names up by, mounted read-only; an input at the same place goes first. */
  readonly files: readonly GuestFile[];
  /** Makes the namespace as it was before the first sandbox took its addresses over. @throws what that gives */
  restore(): Promise<void>;
}

/** Loopback only. */
export const NO_NETWORK: GuestNetwork = {
  mode: "none",
  netns_path: null,
  files: [],
  restore: async () => {},
};

const MISTAKEN = "/proc/sys/net/core/rmem_default";

/**
 * Hides from runsc by what it tells the host's network namespace from others, see {@link bindOver}: it takes
 * one with `net/core/rmem_default` for the host's, which since Linux 6.18 all have, and refuses to start there. Whoever
 * needs that is told by {@link mistakesNamespaces}.
 * @param argv the command; it takes the place of the process
 * @param empty path of an empty directory
 */
export function withHiddenSysctl(argv: readonly string[], empty: string): string[] {
  return bindOver(empty, "/proc/sys/net", argv);
}

/** Whether runsc may take a new network namespace for the host's; false where none can be made. */
export async function mistakesNamespaces(platform: Pick<Platform, "spawn">): Promise<boolean> {
  const look = ["unshare", "--net", "--", "test", "-e", MISTAKEN];
  return runCommand(platform, look).then(
    ({ succeeded }) => succeeded,
    () => false,
  );
}

/** Those files that are neither at, above nor below the place of an input. Pure. */
export function besideInputs(
  files: readonly GuestFile[],
  inputs: readonly Pick<GuestFile, "destination">[],
): GuestFile[] {
  const isOnOrBelow = (path: string, place: string) => path === place || path.startsWith(`${place}/`);
  return files.filter(({ destination }) =>
    inputs.every(
      (input) => !isOnOrBelow(destination, input.destination) && !isOnOrBelow(input.destination, destination),
    ),
  );
}
