import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, messageOf } from "../core/errors.ts";
import type { Networks } from "../network/types.ts";
import type { Platform } from "../platform/platform.ts";
import { COMMAND_ENV } from "../platform/run-command.ts";
import { PROBE_PREFIX } from "../platform/with-probe.ts";
import type { Cgroups } from "../sandbox/cgroup/types.ts";
import { overlayRootFault } from "../sandbox/overlay-root.ts";
import { runProcess } from "../sandbox/run-process.ts";

/** Whether runs can be served. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
  /** What an operator should know of it all the same. */
  readonly notes: readonly string[];
  /** runsc's own words, or null when it cannot be asked. */
  readonly runsc_version: string | null;
  /** Which cgroups hold runs to their limits, and which limits nothing enforces. Runs are served all the same. */
  readonly cgroup: Pick<Cgroups, "mode" | "unenforced">;
  /** Whether runs can have a network of their own, and why not. Others are served all the same. */
  readonly network_sandbox: { readonly available: boolean; readonly reason: string | null };
}

/** What readiness depends on. */
export interface ReadinessParts {
  readonly platform: Platform;
  /** Null: not found. */
  readonly runscPath: string | null;
  /** Null: not found. */
  readonly mkfsErofsPath: string | null;
  /** Whether the server is not root. */
  readonly rootless: boolean;
  /** Must be writable. */
  readonly home: string;
  readonly cgroups: Pick<Cgroups, "mode" | "unenforced">;
  readonly networks: Pick<Networks, "unavailable" | "notes">;
  isDraining(): boolean;
}

/** Answers within this age are given again: a probe in a tight loop must not start a process each time. */
const MAX_AGE_MS = 2_000;
const VERSION_LIMITS = {
  wall_clock_ms: 5_000,
  output_limit_bytes: 4096,
  signal: new AbortController().signal,
};

/** @returns a function that tells the present state; it never throws */
export function createReadinessCheck(parts: ReadinessParts): () => Promise<Readiness> {
  let last: { at: number; answer: Promise<Readiness> } | null = null;
  return async () => {
    if (last === null || performance.now() - last.at > MAX_AGE_MS) {
      last = { at: performance.now(), answer: check(parts) };
    }
    const answer = await last.answer;
    if (!parts.isDraining()) return answer;
    return { ...answer, ready: false, reasons: [...answer.reasons, "shutting down"] };
  };
}

async function check(parts: ReadinessParts): Promise<Readiness> {
  const reasons: string[] = [];
  const runsc_version = await attempt(() => runscVersion(parts), reasons);
  await attempt(() => probeWrite(parts.home), reasons);
  const { unavailable: reason } = parts.networks;
  const network_sandbox = { available: reason === null, reason };
  const notes = [...(await parts.networks.notes())];
  const { mkfsErofsPath } = parts;
  if (mkfsErofsPath === null) notes.push(...((await attempt(() => probeDirectories(parts), reasons)) ?? []));
  else await attempt(() => probeExecutable(mkfsErofsPath), reasons);
  const { mode, unenforced } = parts.cgroups;
  const cgroup = { mode, unenforced };
  return { ready: reasons.length === 0, reasons, notes, runsc_version, cgroup, network_sandbox };
}

async function probeExecutable(path: string): Promise<void> {
  await access(path, constants.X_OK).catch((error) => {
    throw new Error(`${path} cannot be executed: ${errnoOf(error)}`);
  });
}

/** Without mkfs.erofs images are kept as directories, where that can be. */
async function probeDirectories({ platform, home, rootless }: ReadinessParts): Promise<string[]> {
  const fault = await overlayRootFault(platform, home, rootless);
  if (fault === null) return ["mkfs.erofs not found: images are kept as directories; install erofs-utils"];
  throw new Error(
    `mkfs.erofs not found: install erofs-utils; nor can images be kept as directories here: ${fault}`,
  );
}

async function attempt<T>(probe: () => Promise<T>, reasons: string[]): Promise<T | null> {
  try {
    return await probe();
  } catch (error) {
    reasons.push(messageOf(error));
    return null;
  }
}

async function runscVersion({ platform, runscPath }: ReadinessParts): Promise<string> {
  if (runscPath === null) throw new Error("runsc not found: install gVisor or set runsc_path");
  const { status, stop, stdout } = await runProcess(
    () => platform.spawn([runscPath, "--version"], { env: COMMAND_ENV }),
    VERSION_LIMITS,
  );
  if (stop === "timed_out") throw new Error(`${runscPath} --version hangs`);
  if (status.code !== 0) throw new Error(`${runscPath} --version failed (${status.signal ?? status.code})`);
  return Buffer.from(stdout.bytes).toString("utf8").split("\n", 1)[0] ?? "";
}

async function probeWrite(home: string): Promise<void> {
  const probe = join(home, `${PROBE_PREFIX}${randomUUID()}`);
  try {
    await writeFile(probe, "");
  } catch (error) {
    throw new Error(`${home} is not writable: ${messageOf(error)}`);
  }
  await rm(probe, { force: true });
}
