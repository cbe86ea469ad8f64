import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "../platform/platform.ts";
import { runCommand } from "../platform/run-command.ts";
import { withProbe } from "../platform/with-probe.ts";
import { bindOver } from "./bind-over.ts";

const KIB_PER_MIB = 1024;
const PROBE_MB = 77;

/**
 * Has a gVisor sandbox show the guest so much memory in all, where it would show the host's: programs size their heaps
 * by it. gVisor takes the number from /proc/meminfo (proc(5)) when it starts; see {@link bindOver}.
 * @param argv the command; it takes the place of the process
 * @param file written by {@link writeMemoryTotal}
 */
export function withMemoryTotal(argv: readonly string[], file: string): string[] {
  return bindOver(file, "/proc/meminfo", argv);
}

/** Writes what /proc/meminfo is to say. @throws what writing gives */
export function writeMemoryTotal(file: string, memory_mb: number): void {
  writeFileSync(file, `MemTotal: ${Math.round(memory_mb * KIB_PER_MIB)} kB\n`);
}

/**
 * Whether {@link withMemoryTotal} works here.
 * @param home a file is made in there, and removed again
 */
export async function canShowMemoryTotal(platform: Pick<Platform, "spawn">, home: string): Promise<boolean> {
  return withProbe(home, (directory) => showsMemoryTotal(platform, directory).catch(() => false));
}

async function showsMemoryTotal(platform: Pick<Platform, "spawn">, directory: string): Promise<boolean> {
  const file = join(directory, "meminfo");
  writeMemoryTotal(file, PROBE_MB);
  const look = ["grep", "-q", `^MemTotal: ${PROBE_MB * KIB_PER_MIB} kB$`, "/proc/meminfo"];
  return (await runCommand(platform, withMemoryTotal(look, file))).succeeded;
}
