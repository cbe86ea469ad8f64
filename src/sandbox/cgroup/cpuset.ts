import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../core/errors.ts";
import type { CgroupVersion, Controller } from "./controllers.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";

/**
 * Shows the guest as many CPUs as it may use. The sentry counts the CPUs that it may run on when it starts, and tells
 * the guest that number for good. So a sandbox starts on few CPUs, each one on others in turn, and may use all of them
 * as soon as it has counted: how much it may use is the quota's affair, and a run bound to one CPU would wait for it
 * beside idle ones. Booting on one CPU instead of two costs some 25 ms. (runsc's own `--cpu-num-from-quota` works only in a cgroup of runsc's, and never shows fewer than 2.)
 */
export interface Cpuset extends Controller {
  /** All CPUs that the service may use, as the kernel writes them. */
  readonly all: string;
}

/** Reads which CPUs there are. @throws where the parent does not tell */
export async function openCpuset(parent: string, version: CgroupVersion): Promise<Cpuset> {
  if (version === 1) await inherit(parent);
  const cpus = parseCpuList(await readFirst(parent, CPUS_FILES[version]));
  if (cpus.length === 0) throw new Error("no CPUs are listed");
  const mems = version === 1 ? await readTrimmed(join(parent, "cpuset.mems")) : "";
  const all = formatCpuList(cpus);
  let turn = 0;
  return {
    name: "cpuset",
    all,
    settings({ cpu_cores }) {
      const count = Math.min(cpus.length, Math.ceil(cpu_cores ?? cpus.length));
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
