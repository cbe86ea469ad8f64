/** For sh(1) of any make, on one line as a launcher wants it: $1 lies over $2, the rest is the command. */
const SCRIPT = 'mount -n --bind "$1" "$2" || exit 128; shift 2; exec "$@"';

/**
 * Has a command see one path in the place of another, in a mount namespace of its own. There, what others unmount is
 * unmounted as well, where the host's mounts are shared. Nothing of the words is parsed by the shell. Takes
 * CAP_SYS_ADMIN, unshare(1) and mount(8); without them the exit code is not 0 and the command is not run.
 * @param argv the command; it takes the place of the process
 */
export function bindOver(source: string, target: string, argv: readonly string[]): string[] {
  const mount = ["sh", "-c", SCRIPT, "sh", source, target];
  return ["unshare", "--mount", "--propagation", "slave", "--", ...mount, ...argv];
}
