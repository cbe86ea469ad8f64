import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Home } from "./core/home.ts";
import type { Platform } from "./platform/platform.ts";
import { removeTree } from "./platform/remove-tree.ts";
import { PROBE_PREFIX } from "./platform/with-probe.ts";
import type { Cgroups } from "./sandbox/cgroup/types.ts";
import { killStraySandboxes } from "./sandbox/sweep.ts";
import { sweepMounts } from "./sandbox/sweep-mounts.ts";

/** Removes what runs of an earlier server left when that was killed, and makes the directories that runs need. */
export async function sweepRuns(
  home: Home,
  cgroups: Cgroups,
  platform: Platform,
  log: Logger,
): Promise<void> {
  await mkdir(home.emptyRoot, { recursive: true, mode: 0o755 });
  for (const room of [home.runs, home.inputs]) await mkdir(room, { recursive: true, mode: 0o700 });
  await cgroups.sweep();
  const processes = await killStraySandboxes(home.runs);
  // What is in memory goes with its mount.
  const left = await readdir(home.runs);
  await sweepMounts(home.runs, platform);
  for (const room of [home.runs, home.inputs]) {
    for (const name of await readdir(room)) await removeTree(join(room, name), platform);
  }
  const probes = (await readdir(home.root)).filter((name) => name.startsWith(PROBE_PREFIX));
  for (const name of probes) await removeTree(join(home.root, name), platform);
  if (left.length > 0) log.warn({ runs: left.length, processes }, "swept what an earlier server left");
}
