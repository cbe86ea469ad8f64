import { createHash } from "node:crypto";
import { readdir, readFile, rmdir as rmdirOf } from "node:fs/promises";
import { dirname, join } from "node:path";
import { detectLayout, type Hierarchy } from "./detect-layout.ts";
import { type OpenedParent, openParent, type Parent } from "./open-parent.ts";
import { noteParents } from "./parent-record.ts";
import { parseProcCgroup } from "./parse-proc-cgroup.ts";
import { type Rmdir, removeCgroup, removeIfEmpty } from "./remove-cgroup.ts";
import { makeRunCgroup } from "./run-cgroup.ts";
import type { CgroupMode, Cgroups, EnforcedLimits } from "./types.ts";

/** What cgroups are opened with. */
export interface CgroupOptions {
  /** The service's own directory: two of them on one machine leave each other alone. */
  readonly home: string;
  /** Remembers across servers which cgroups were used; see `noteParents`. */
  readonly recordFile: string;
  /** Where the hierarchies are mounted. */
  readonly mount?: string;
  /** /proc/self/cgroup or what stands for it. */
  readonly procSelfCgroup?: string;
  readonly rmdir?: Rmdir;
}

const LIMITS = { memory: "memory_mb", cpu: "cpu_cores", pids: "pids_limit" } as const;
const ENFORCES_NOTHING: EnforcedLimits = { memory: false, cpu: false, pids: false };

/**
 * Finds out what cgroups this process may use, and makes those that the ones of runs are below. What cannot be had is
 * no fault but a reason in `unenforced`.
 * @throws what writing `recordFile` gives
 */
export async function openCgroups(options: CgroupOptions): Promise<Cgroups> {
  const { mount = "/sys/fs/cgroup", procSelfCgroup = "/proc/self/cgroup", rmdir = rmdirOf } = options;
  const memberships = parseProcCgroup(await readFile(procSelfCgroup, "utf8").catch(() => ""));
  const { mode, hierarchies } = await detectLayout(mount, memberships);
  if (mode === "none") return withoutCgroups(`no cgroups are mounted at ${mount}`);
  const name = createHash("sha256").update(options.home).digest("hex").slice(0, 12);
  const opened: OpenedParent[] = [];
  for (const hierarchy of useful(hierarchies)) opened.push(await openParent(hierarchy, name, rmdir));
  const parents = opened.flatMap(({ parent }) => (parent === null ? [] : [parent]));
  const known = await noteParents(
    options.recordFile,
    parents.map(({ path }) => path),
  );
  return cgroupsOf(mode, parents.filter(isOfUse), unenforcedBecause(opened), known, rmdir);
}

/** The least that a run may use. */
const ONE_CPU = { cpu_cores: 1, memory_mb: null, pids_limit: null };

/** A hierarchy of CPUs alone does nothing on a host with so few that each run sees them all. */
function isOfUse({ version, controllers, cpuset }: Parent): boolean {
  return version === 2 || controllers.length > 0 || cpuset?.narrows(ONE_CPU) === true;
}

/** Cgroups where there are none: runs start as usual, and nothing is enforced. */
export function withoutCgroups(reason: string): Cgroups {
  const unenforced = Object.entries(LIMITS).map(([name, field]) => `${field}: no ${name} cgroup: ${reason}`);
  return cgroupsOf("none", [], unenforced, [], rmdirOf);
}

function cgroupsOf(
  mode: CgroupMode,
  parents: readonly Parent[],
  unenforced: readonly string[],
  known: readonly string[],
  rmdir: Rmdir,
): Cgroups {
  const enforced = enforcedBy(parents);
  return {
    mode: Object.values(enforced).includes(true) ? mode : "none",
    enforced,
    unenforced,
    create: (id) => makeRunCgroup(parents, id, rmdir),
    async sweep() {
      const counts = await Promise.all(known.map((parent) => sweepBelow(parent, rmdir)));
      return Math.max(0, ...counts);
    },
    async close() {
      for (const parent of known) {
        await removeIfEmpty(parent, rmdir);
        await removeIfEmpty(dirname(parent), rmdir);
      }
    },
  };
}

/** The v1 hierarchies of use; the unified one counts CPU time as well. */
function useful(hierarchies: readonly Hierarchy[]): Hierarchy[] {
  const isUnified = hierarchies.some(({ version }) => version === 2);
  const names = ["memory", "cpu", "pids", "cpuset", ...(isUnified ? [] : ["cpuacct"])];
  return hierarchies.filter(
    ({ version, controllers }) => version === 2 || controllers.some((each) => names.includes(each)),
  );
}

function enforcedBy(parents: readonly Parent[]): EnforcedLimits {
  const names = parents.flatMap(({ controllers }) => controllers.map(({ name }) => name));
  const entries = Object.keys(ENFORCES_NOTHING).map((name) => [name, names.includes(name)]);
  return Object.fromEntries(entries) as EnforcedLimits;
}

function unenforcedBecause(opened: readonly OpenedParent[]): string[] {
  const enforced = enforcedBy(opened.flatMap(({ parent }) => (parent === null ? [] : [parent])));
  const faults = opened.flatMap((each) => each.faults);
  return Object.entries(LIMITS).flatMap(([name, field]) => {
    if (enforced[name as keyof EnforcedLimits]) return [];
    const reason = faults.find(({ controller }) => controller === name)?.reason ?? "the host has none";
    return [`${field}: no ${name} cgroup: ${reason}`];
  });
}

/** @returns how many cgroups there were */
async function sweepBelow(parent: string, rmdir: Rmdir): Promise<number> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const cgroups = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
  await Promise.all(cgroups.map((cgroup) => removeCgroup(cgroup, rmdir)));
  return cgroups.length;
}
