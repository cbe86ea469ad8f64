import type { Config } from "./config/config.ts";
import type { CleanupStack } from "./core/cleanup-stack.ts";
import type { Home } from "./core/home.ts";
import { protectFromOom } from "./sandbox/cgroup/oom-score.ts";
import { openCgroups, withoutCgroups } from "./sandbox/cgroup/open-cgroups.ts";
import type { Cgroups } from "./sandbox/cgroup/types.ts";

/**
 * Opens the cgroups that runs are limited by, and has the kernel spare the service where they are there.
 * @param cleanup takes the undo of both
 */
export async function openServiceCgroups(
  config: Pick<Config, "ignore_cgroups">,
  home: Home,
  cleanup: CleanupStack,
): Promise<Cgroups> {
  if (config.ignore_cgroups) return withoutCgroups("ignore_cgroups is set");
  const cgroups = await openCgroups({ home: home.root, recordFile: home.cgroups });
  cleanup.defer("cgroups", () => cgroups.close());
  // Without cgroups, sandboxes would inherit it.
  if (cgroups.mode !== "none") cleanup.defer("OOM score", await protectFromOom());
  return cgroups;
}
