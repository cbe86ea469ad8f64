import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname, posix } from "node:path";

/** What the machine has for this process. */
export interface Machine {
  readonly cores: number;
  /** In MB (2^20 bytes). */
  readonly memory_mb: number;
}

/** Reads a small file; null when there is none. */
export type ReadText = (path: string) => string | null;

const MIB = 1 << 20;
const KIB = 1024;
const CGROUP_MOUNT = "/sys/fs/cgroup";

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    cores: availableParallelism(),
    memory_mb: usableMemoryMb(readText) ?? Math.floor(totalmem() / MIB),
  };
}

/**
 * The memory that this process may use, in MB: the machine's (`MemTotal` of proc_meminfo(5)), or the smallest limit of
 * its cgroup and of those above it (cgroups(7); v1 and v2). Pure but for the reading.
 * @returns null when nothing tells
 */
export function usableMemoryMb(read: ReadText): number | null {
  const total_kb = /^MemTotal:\s+(\d+) kB$/m.exec(read("/proc/meminfo") ?? "")?.[1];
  const limits = memoryLimitFiles(read("/proc/self/cgroup") ?? "")
    .map((path) => read(path)?.trim() ?? "")
    .filter((text) => /^\d+$/.test(text))
    .map(Number);
  const smallest = Math.min(
    total_kb === undefined ? Number.POSITIVE_INFINITY : Number(total_kb) * KIB,
    ...limits,
  );
  return Number.isFinite(smallest) ? Math.floor(smallest / MIB) : null;
}

/**
 * Where limits may stand. In a container the path is often that of the host, which is not there; the mount's own root,
 * which is the container's cgroup, is always among the places.
 * @param selfCgroup content of /proc/self/cgroup: `hierarchy:controllers:path` in each line
 */
function memoryLimitFiles(selfCgroup: string): string[] {
  return selfCgroup.split("\n").flatMap((line) => {
    const [, id, controllers = "", path = ""] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (id === undefined) return [];
    if (controllers.split(",").includes("memory")) {
      return upwards(path).map((at) => posix.join(CGROUP_MOUNT, "memory", at, "memory.limit_in_bytes"));
    }
    return id === "0" ? upwards(path).map((at) => posix.join(CGROUP_MOUNT, at, "memory.max")) : [];
  });
}

/** A path and all above it, down to the root. */
function upwards(path: string): string[] {
  const clean = posix.normalize(path);
  return clean === "/" ? [clean] : [clean, ...upwards(dirname(clean))];
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
