import { mkdirSync, rmdirSync } from "node:fs";

const MOUNT = "/sys/fs/cgroup";

/** Why limits cannot be enforced by cgroups here, for the `skip` option of a test; false when they can. */
export function noCgroups(): string | false {
  for (const parent of [`${MOUNT}/memory`, MOUNT]) {
    try {
      mkdirSync(`${parent}/boxer-probe-${process.pid}`);
      rmdirSync(`${parent}/boxer-probe-${process.pid}`);
      return false;
    } catch {
      // Not this one.
    }
  }
  return "no cgroup can be made here";
}
