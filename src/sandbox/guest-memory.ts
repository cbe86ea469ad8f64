import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { withProbe } from "../platform/with-probe.ts";

const KIB_PER_MIB = 1024;
const PROBE_MB = 77;

/** For sh(1) of any make: $1 is the file, the rest the command. Nothing of it is parsed by the shell. */
const SCRIPT = `mount -n --bind "$1" /proc/meminfo || exit 128
shift
exec "$@"`;

/**
 * Has a gVisor sandbox show the guest so much memory in all, where it would show the host's: programs size their heaps
 * by it. gVisor takes the number from /proc/meminfo (proc(5)) when it starts; the file lies over that in a mount
 * namespace of the command's own. There, what others unmount is unmounted as well, where the host's mounts are shared.
 * @param argv the command; it takes the place of the process
 * @param file written by {@link writeMemoryTotal}
 */
export function withMemoryTotal(argv: readonly string[], file: string): string[] {
  return ["unshare", "--mount", "--propagation", "slave", "--", "sh", "-c", SCRIPT, "sh", file, ...argv];
}

/** Writes what /proc/meminfo is to say. @throws what writing gives */
export function writeMemoryTotal(file: string, memory_mb: number): Promise<void> {
  return writeFile(file, `MemTotal: ${Math.round(memory_mb * KIB_PER_MIB)} kB\n`);
}

/**
 * Whether {@link withMemoryTotal} works here: it takes CAP_SYS_ADMIN, unshare(1) and mount(8).
 * @param home a file is made in there, and removed again
 */
export async function canShowMemoryTotal(platform: Pick<Platform, "spawn">, home: string): Promise<boolean> {
  return withProbe(home, (directory) => showsMemoryTotal(platform, directory).catch(() => false));
}

async function showsMemoryTotal(platform: Pick<Platform, "spawn">, directory: string): Promise<boolean> {
  const file = join(directory, "meminfo");
  await writeMemoryTotal(file, PROBE_MB);
  const look = ["grep", "-q", `^MemTotal: ${PROBE_MB * KIB_PER_MIB} kB$`, "/proc/meminfo"];
  return (await runCommand(platform, withMemoryTotal(look, file))).succeeded;
}
