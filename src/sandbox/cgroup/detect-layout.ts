import { join, resolve } from "node:path";
import { exists } from "./cgroup-files.ts";
import type { CgroupVersion } from "./controllers.ts";
import type { CgroupMembership } from "./parse-proc-cgroup.ts";
import type { CgroupMode } from "./types.ts";

/** A mounted hierarchy. */
export interface Hierarchy {
  readonly version: CgroupVersion;
  /** Where it is mounted. */
  readonly root: string;
  /** Our own cgroup there; the root where our path is not to be seen below it, as in some containers. */
  readonly own: string;
  /** Controllers bound to it; those of the unified one are read from the kernel. */
  readonly controllers: readonly string[];
  /** A unified hierarchy whose controllers are all bound to others (hybrid). */
  readonly isBare: boolean;
}

/** Which hierarchies there are. */
export interface CgroupLayout {
  readonly mode: CgroupMode;
  readonly hierarchies: readonly Hierarchy[];
}

/**
 * Finds the hierarchies below a mount point, in the places where systemd, container engines and distributions mount
 * them: v2 alone on the mount point itself, each v1 hierarchy below by the names of its controllers, and v2 beside those
 * as `unified`.
 */
export async function detectLayout(
  mount: string,
  memberships: readonly CgroupMembership[],
): Promise<CgroupLayout> {
  const unified = memberships.find(({ controllers }) => controllers.length === 0);
  if (await exists(join(mount, "cgroup.controllers"))) {
    return { mode: "v2", hierarchies: [await hierarchyAt(mount, 2, [], unified?.path ?? "/")] };
  }
  const found = await Promise.all(memberships.map((membership) => findV1(mount, membership)));
  const v1 = found.filter((hierarchy) => hierarchy !== null);
  if (v1.length === 0) return { mode: "none", hierarchies: [] };
  const root = join(mount, "unified");
  if (!unified || !(await exists(join(root, "cgroup.procs")))) return { mode: "v1", hierarchies: v1 };
  return {
    mode: "hybrid",
    hierarchies: [...v1, { ...(await hierarchyAt(root, 2, [], unified.path)), isBare: true }],
  };
}

async function findV1(mount: string, { controllers, path }: CgroupMembership): Promise<Hierarchy | null> {
  if (controllers.length === 0) return null;
  for (const name of [controllers.join(","), ...controllers]) {
    const root = join(mount, name);
    if (await exists(join(root, "cgroup.procs"))) return hierarchyAt(root, 1, controllers, path);
  }
  return null;
}

async function hierarchyAt(
  root: string,
  version: CgroupVersion,
  controllers: readonly string[],
  path: string,
): Promise<Hierarchy> {
  const own = resolve(root, `.${path}`);
  // Below another cgroup namespace the path begins with `/..`.
  const isVisible = !path.split("/").includes("..") && (await exists(own));
  return { version, root, own: isVisible ? own : root, controllers, isBare: false };
}
