/** Where a process is in one hierarchy. */
export interface CgroupMembership {
  /** Names of controllers; empty for the unified hierarchy. */
  readonly controllers: readonly string[];
  /** Absolute path below the hierarchy's root, as this process's cgroup namespace shows it. */
  readonly path: string;
}

/**
 * Reads /proc/[pid]/cgroup (cgroups(7)): lines of `id:controllers:path`. Pure. Lines of named hierarchies
 * (`name=systemd`) have no controllers that could limit anything and are left out, as is what does not parse.
 */
export function parseProcCgroup(text: string): CgroupMembership[] {
  return text.split("\n").flatMap((line) => {
    const [, list, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (list === undefined || path === undefined || list.startsWith("name=")) return [];
    return [{ controllers: list === "" ? [] : list.split(","), path }];
  });
}
