import { readFile, realpath } from "node:fs/promises";
import type { Platform } from "../platform/platform.ts";

/**
 * Unmounts all that an earlier server, killed with SIGKILL, left mounted on and below the directory of its runs; the newest
 * first, since mounts may lie on each other.
 * @param runsDirectory exists
 * @returns how many mounts there were
 * @throws what umount2(2) gives, EPERM for one
 */
export async function sweepMounts(
  runsDirectory: string,
  platform: Pick<Platform, "mounts">,
): Promise<number> {
  const runs = await realpath(runsDirectory);
  const left = mountPointsOf(await readFile("/proc/self/mountinfo")).filter((path) =>
    `${path}/`.startsWith(`${runs}/`),
  );
  for (const path of left.toReversed()) await platform.mounts.unmount(path);
  return left.length;
}

/** The fifth field of each line of mountinfo, oldest mount first; see proc_pid_mountinfo(5). */
export function mountPointsOf(mountinfo: Uint8Array): string[] {
  const lines = Buffer.from(mountinfo).toString("latin1").split("\n");
  return lines.map((line) => unescapeOctal(line.split(" ")[4] ?? "")).filter((path) => path !== "");
}

/** Space, tab, line break and backslash come as their octal numbers. */
function unescapeOctal(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, "latin1").toString();
}
