import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../core/errors.ts";
import type { CgroupVersion, Controller } from "./controllers.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import type { CgroupLimits } from "./types.ts";

/**
 * Fewer than two would leave the sentry's Go runtime one thread to run on for good (GOMAXPROCS): it is slow then, and some
 * of a thousand starts on a busy machine hang. gVisor's own `--cpu-num-from-quota` has the same minimum.
 */
export const MIN_CPUS = 2;

/**
 * Shows the guest as many CPUs as it may use, two at least. The sentry counts the CPUs that it may run on when it starts,
 * and tells the guest that number for good. So a sandbox starts on few CPUs, each one on others in turn, and may use all
 * of them as soon as it has counted: how much it may use is the quota's affair, and a run bound to some CPUs would wait
 * for them beside idle ones. (runsc's own `--cpu-num-from-quota` works only in a cgroup of runsc's.)
 */
export interface Cpuset extends Controller {
  /** All CPUs that the service may use, as the kernel writes them. */
  readonly all: string;
  /** Whether a run with such limits starts on fewer. */
  narrows(limits: CgroupLimits): boolean;
}

/** Reads which CPUs there are. @throws where the parent does not tell */
export async function openCpuset(parent: string, version: CgroupVersion): Promise<Cpuset> {
  if (version === 1) await inherit(parent);
  const cpus = parseCpuList(await readFirst(parent, CPUS_FILES[version]));
  if (cpus.length === 0) throw new Error("no CPUs are listed");
  const mems = version === 1 ? await readTrimmed(join(parent, "cpuset.mems")) : "";
  const all = formatCpuList(cpus);
  const countOf = ({ cpu_cores }: CgroupLimits) =>
    Math.min(cpus.length, Math.max(MIN_CPUS, Math.ceil(cpu_cores ?? cpus.length)));
  let turn = 0;
  return {
    name: "cpuset",
    all,
    narrows: (limits) => countOf(limits) < cpus.length,
    settings(limits) {
      const count = countOf(limits);
      const chosen = cpus.map((_, index) => cpus[(turn + index) % cpus.length] ?? 0).slice(0, count);
      turn = (turn + count) % cpus.length;
      const value = count === cpus.length ? all : formatCpuList(chosen);
      if (version === 2) return count === cpus.length ? [] : [{ file: "cpuset.cpus", value }];
      return [
        { file: "cpuset.mems", value: mems },
        { file: "cpuset.sched_load_balance", value: "0", isOptional: true },
        { file: "cpuset.cpus", value },
      ];
    },
  };
}

const CPUS_FILES: Readonly<Record<CgroupVersion, readonly string[]>> = {
  1: ["cpuset.effective_cpus", "cpuset.cpus"],
  2: ["cpuset.cpus.effective"],
};

/** A cgroup v1 begins without CPUs and memory nodes, and takes no process before it has some. */
async function inherit(parent: string): Promise<void> {
  for (const cgroup of [join(parent, ".."), parent]) {
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const own = await readTrimmed(join(cgroup, file));
      if (own === "") await writeFile(join(cgroup, file), await readTrimmed(join(cgroup, "..", file)));
    }
  }
}

async function readFirst(directory: string, files: readonly string[]): Promise<string> {
  for (const file of files) {
    try {
      return await readFile(join(directory, file), "utf8");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
  throw new Error(`${directory} has no ${files.join(" or ")}`);
}

async function readTrimmed(path: string): Promise<string> {
  return (await readFile(path, "utf8")).trim();
}
