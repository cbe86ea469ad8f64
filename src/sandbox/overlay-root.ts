import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { withProbe } from "../platform/with-probe.ts";
import type { RunDirectory } from "./runsc.ts";

/**
 * Mounts and runs, for sh(1) of any make: $1 is where, $2 the directory that holds the tree, $3 the options, $4 a file to
 * be emptied once it is mounted. The names in the options are relative, since the kernel gives commas and colons a
 * meaning. All on one line, and no word is empty: a launcher takes it word by word.
 */
const SCRIPT = [
  "set -e",
  'mount -t tmpfs -o size=1m,mode=700 tmpfs "$1"',
  'cd "$1"',
  "mkdir image upper work merged",
  'mount --bind "$2" image',
  'mount -t overlay -o "$3" overlay merged',
  "cd /",
  ': > "$4"',
  "shift 4",
  'exec "$@"',
].join("; ");

const OPTIONS = "lowerdir=image,upperdir=upper,workdir=work";

/** What the log of a run holds until its image is mounted, in runsc's own format. */
export const NOT_MOUNTED = JSON.stringify({
  level: "error",
  msg: "cannot mount the image, which is a directory; see /readyz",
});

/** Path at which a run sees an image that is a directory; only within the mount namespace of its own. */
export function overlayRootOf(directory: Pick<RunDirectory, "root">): string {
  return join(directory.root, "merged", "rootfs");
}

/**
 * Has a command see the image of a run, a directory, below an overlay of its own (overlayfs): runsc makes mount points
 * in a directory that it gets as root, and this one is shared by all runs. The overlay holds nothing but those, since
 * what the guest writes stays in gVisor's memory, and lives in a mount namespace: it ends with the last process in
 * there, also by SIGKILL, and no other process ever sees it.
 *
 * @param argv the command; it takes the place of the process, so that its pid is that of the process
 * @param rootfs a directory by the name of `rootfs`, alone in its parent, so that the root of the overlay is not the
 *   root of the image, which would lose its owner and mode
 * @param directory `log` is emptied when all is mounted; see {@link NOT_MOUNTED}
 * @param rootless whether the namespace needs a user namespace (Linux 5.11 or newer)
 */
export function withOverlayRoot(
  argv: readonly string[],
  rootfs: string,
  directory: Pick<RunDirectory, "root" | "log">,
  rootless: boolean,
): string[] {
  const [flags, options] = rootless ? ["-Urm", `${OPTIONS},userxattr`] : ["-m", OPTIONS];
  const places = [directory.root, dirname(rootfs), options, directory.log];
  return ["unshare", flags, "--", "sh", "-c", SCRIPT, "sh", ...places, ...argv];
}

/**
 * Whether runs of images that are directories can be started here.
 * @param home an overlay is tried in a directory in there, which is removed again
 * @returns why not, or null
 */
export async function overlayRootFault(
  platform: Pick<Platform, "spawn">,
  home: string,
  rootless: boolean,
): Promise<string | null> {
  return withProbe(home, (directory) => tryOverlay(platform, directory, rootless).catch(messageOf));
}

async function tryOverlay(
  platform: Pick<Platform, "spawn">,
  probe: string,
  rootless: boolean,
): Promise<string | null> {
  const [image, root] = [join(probe, "image", "rootfs"), join(probe, "root")];
  await mkdir(image, { recursive: true });
  await mkdir(root);
  const directory = { root, log: join(probe, "log") };
  const argv = withOverlayRoot(["test", "-d", overlayRootOf(directory)], image, directory, rootless);
  const { succeeded, stderr } = await runCommand(platform, argv);
  return succeeded ? null : stderr;
}
