import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { applySettings } from "./cgroup-files.ts";
import { type Controller, cpu, cpuacct, memory, pids } from "./controllers.ts";
import { type Cpuset, openCpuset } from "./cpuset.ts";
import { delegate, handDown } from "./delegate.ts";
import type { Hierarchy } from "./detect-layout.ts";
import { type Rmdir, removeIfEmpty } from "./remove-cgroup.ts";

/** A cgroup of ours in one hierarchy; those of runs are made below. */
export interface Parent {
  readonly version: Hierarchy["version"];
  readonly path: string;
  /** Tried and found to work. */
  readonly controllers: readonly Controller[];
  readonly cpuset: Cpuset | null;
  /** What the kernel has in the cgroups below: no run need look for what is not there. */
  readonly files: ReadonlySet<string>;
}

/** A parent, or none, and what does not work. */
export interface OpenedParent {
  readonly parent: Parent | null;
  readonly faults: readonly { controller: string; reason: string }[];
}

const KNOWN: readonly Controller[] = [memory, cpu, pids, cpuacct];
/** Any limits do for a trial. */
const SAMPLE = { cpu_cores: 1, memory_mb: 64, pids_limit: 64 };

/**
 * Makes `boxer/<name>` in a hierarchy, below our own cgroup, and tries each controller there. On the unified hierarchy
 * its controllers are handed down first; one without any still counts CPU time and kills whole cgroups.
 * @param name tells services on one machine apart
 */
export async function openParent(hierarchy: Hierarchy, name: string, rmdir: Rmdir): Promise<OpenedParent> {
  const { version } = hierarchy;
  try {
    const { base, names } = await baseOf(hierarchy);
    const path = join(base, "boxer", name);
    await mkdir(path, { recursive: true });
    if (version === 2) {
      for (const cgroup of [join(base, "boxer"), path]) await handDown(cgroup, names);
    }
    return await tryControllers(version, path, names, rmdir);
  } catch (error) {
    const names = version === 1 ? hierarchy.controllers : KNOWN.map((controller) => controller.name);
    const reason = messageOf(error);
    return { parent: null, faults: names.map((controller) => ({ controller, reason })) };
  }
}

async function baseOf(hierarchy: Hierarchy): Promise<{ base: string; names: readonly string[] }> {
  const { version, own, controllers } = hierarchy;
  if (version === 1 || hierarchy.isBare) return { base: own, names: controllers };
  const delegation = await delegate(hierarchy);
  return { base: delegation.base, names: delegation.controllers };
}

async function tryControllers(
  version: Hierarchy["version"],
  path: string,
  names: readonly string[],
  rmdir: Rmdir,
): Promise<OpenedParent> {
  const faults: { controller: string; reason: string }[] = [];
  const working: Controller[] = [];
  // What the guest sees as CPUs is no limit: without a cpuset it sees them all.
  const cpuset = names.includes("cpuset") ? await openCpuset(path, version).catch(() => null) : null;
  const trial = join(path, "trial");
  await mkdir(trial, { recursive: true });
  for (const controller of KNOWN.filter((each) => names.includes(each.name))) {
    try {
      await applySettings(trial, controller.settings(SAMPLE, version));
      working.push(controller);
    } catch (error) {
      faults.push({ controller: controller.name, reason: messageOf(error) });
    }
  }
  const files = new Set(await readdir(trial));
  await removeIfEmpty(trial, rmdir);
  return { parent: { version, path, controllers: working, cpuset, files }, faults };
}
