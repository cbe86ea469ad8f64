import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { exists, readWords } from "./cgroup-files.ts";
import type { Hierarchy } from "./detect-layout.ts";
import { removeIfEmpty } from "./remove-cgroup.ts";

/** A cgroup below which others may be made. */
export interface Delegation {
  readonly base: string;
  /** What the cgroups below it have. */
  readonly controllers: readonly string[];
}

/** Where the service itself lives when the cgroups of runs are beside it. */
const LEAF = "boxer-service";
const LIMITING = ["memory", "cpu", "pids"];
/** Taken where it is there: see `Cpuset`. */
const WANTED = [...LIMITING, "cpuset"];

/**
 * Finds a cgroup of the unified hierarchy (v2) that can hand its controllers down: our own where it has them all, as in a
 * systemd unit with `Delegate=yes` or in a container, so that limits on the service hold for its runs too; else the root.
 * @throws Error with the reasons of all of them
 */
export async function delegate({ root, own }: Hierarchy): Promise<Delegation> {
  const mine = basename(own) === LEAF ? dirname(own) : own;
  const available = await readWords(join(mine, "cgroup.controllers"));
  const isComplete = LIMITING.every((name) => available.includes(name));
  const candidates = isComplete ? [mine, root] : [root, mine];
  const reasons: string[] = [];
  for (const base of new Set(candidates)) {
    try {
      const isContainer = base === mine && mine === root;
      return { base, controllers: await enable(base, isContainer) };
    } catch (error) {
      reasons.push(`${base}: ${messageOf(error)}`);
    }
  }
  throw new Error(reasons.join("; "));
}

/** Hands controllers down from a cgroup to those below it (cgroup.subtree_control). */
export async function handDown(cgroup: string, controllers: readonly string[]): Promise<void> {
  for (const name of controllers) await writeFile(join(cgroup, "cgroup.subtree_control"), `+${name}`);
}

/**
 * @param isContainer whether it is a container's: all processes there are of one service
 * @returns the controllers handed down
 */
async function enable(base: string, isContainer: boolean): Promise<string[]> {
  const available = await readWords(join(base, "cgroup.controllers"));
  const controllers = WANTED.filter((name) => available.includes(name));
  if (!controllers.some((name) => LIMITING.includes(name))) throw new Error("it has no such controllers");
  const handed = await readWords(join(base, "cgroup.subtree_control"));
  const missing = controllers.filter((name) => !handed.includes(name));
  if (missing.length === 0) return controllers;
  const giveBack = await vacate(base, isContainer);
  try {
    await handDown(base, missing);
    return controllers;
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/**
 * Moves the service into a leaf: a cgroup with processes of its own hands no controllers down, but for the root
 * (cgroups(7), "no internal processes"). With it go those that started it, such as npm(1). Others are left alone: then
 * the kernel refuses, and all stays as it is.
 * @returns how to move it back
 */
async function vacate(base: string, isContainer: boolean): Promise<() => Promise<void>> {
  const isRoot = !(await exists(join(base, "cgroup.type")));
  if (isRoot) return async () => {};
  const pids = await readWords(join(base, "cgroup.procs"));
  const family = await ownLine();
  const own = pids.filter((pid) => isContainer || family.has(pid));
  if (own.length === 0) return async () => {};
  const leaf = join(base, LEAF);
  await mkdir(leaf, { recursive: true });
  await move(own, leaf);
  return async () => {
    await move(own, base);
    await removeIfEmpty(leaf);
  };
}

/** A process that has ended meanwhile needs no moving. */
async function move(pids: readonly string[], cgroup: string): Promise<void> {
  for (const pid of pids) await writeFile(join(cgroup, "cgroup.procs"), pid).catch(() => {});
}

/** The pids of this process and of those that it descends from. */
async function ownLine(): Promise<Set<string>> {
  const line = new Set<string>();
  let pid = String(process.pid);
  while (Number(pid) > 0 && !line.has(pid)) {
    line.add(pid);
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    pid = /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? "0";
  }
  return line;
}
