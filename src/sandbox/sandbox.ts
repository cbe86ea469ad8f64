import { constants } from "node:fs";
import { access, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Config, RunLimits } from "../config/config.ts";
import { BoxerError, errnoOf } from "../core/errors.ts";
import { prepareStart, rootOf } from "./bundle-start.ts";
import type { CgroupUsage, EnforcedLimits, RunCgroup } from "./cgroup/types.ts";
import type { GuestNetwork } from "./guest-network.ts";
import { inspectExit, type SandboxExit } from "./inspect-exit.ts";
import { giveOutput, type Launchpad, makeStart, type Start, type StartParts } from "./launchpad/launchpad.ts";
import { makeOutputCwd } from "./run-directory.ts";
import { type ProcessLimits, runProcess, type Watch } from "./run-process.ts";
import { checkSecondAttempt, namesOfFurther, planSecondAttempt } from "./second-attempt.ts";
import { buildSpec, type SpecInput } from "./spec.ts";
import { startWatch } from "./start-watch.ts";
import { Throttle } from "./throttle.ts";
import { refuseUnenforced } from "./unenforced-limits.ts";
import type { BootedSandbox } from "./warm/boot-sandbox.ts";
import type { GuestArch } from "./warm/guest-init.ts";
import { neverBegan, takeOver, tapeOf, usageSince } from "./warm/take-over.ts";
import type { BootShape } from "./warm-pool/boot-shape.ts";
import { shapeOf } from "./warm-pool/shape-of.ts";

/** Where one guest is to run. */
export interface Place {
  readonly pad: Launchpad;
  /** Null: the sandbox is booted for the guest. */
  readonly booted: BootedSandbox | null;
}

/** What has to be known of a guest to find it a place. */
export interface PlaceOrder extends Pick<SpecInput, "rootfs" | "rootfsType"> {
  /** Digest of the image. */
  readonly image: string;
  readonly limits: RunLimits;
  /** What waits booted has a network of none; a guest with another one has its sandbox booted for it. */
  readonly network: Pick<GuestNetwork, "mode">;
}

/** Runs sandboxes. */
export interface Sandbox {
  /** Which limits the host holds runs to. */
  readonly enforced: EnforcedLimits;
  /**
   * A place for one guest, to be given back by the cleanup of its launchpad.
   * @throws BoxerError `limit_unenforceable` where the operator wants that, and what making a launchpad gives
   */
  place(order: PlaceOrder): Promise<Place>;
  /**
   * Runs one guest to its end.
   * @throws BoxerError `runsc_missing`, `sandbox_failed` without a cgroup, or `invalid_request` for a working directory
   *   that cannot be; Error when runsc cannot be killed, or the directory cannot be written
   */
  run(place: Place, guest: Guest, limits: ProcessLimits): Promise<SandboxExit>;
  /** To be told when a run has given back all that it had: then is the time to get ready for the next ones. */
  refill(): void;
}

/** What to run. */
export interface Guest extends Omit<SpecInput, "makeCwd" | "outputDirectory" | "emptyRoot"> {
  network: GuestNetwork;
  stdin: Uint8Array | undefined;
}

/** The exit codes of a shell for what it cannot execute, and cannot find. */
const SHELL_FAILURES: readonly (number | null)[] = [126, 127];

/** What sandboxes are made with. */
export interface SandboxOptions extends StartParts {
  /** An empty directory that all runs share as their formal root. */
  readonly emptyRoot: string;
  takePad(): Promise<Launchpad>;
  /** A sandbox that was booted ahead, or is about to be, if there is one. Never rejects. */
  takeBooted(shape: BootShape): Promise<BootedSandbox | null>;
  /** Makes more of both, where no run is delayed. */
  refill(): void;
  /** What tapes are made for. */
  readonly arch: GuestArch;
  /** What becomes of runs with limits that nothing enforces. */
  readonly unenforced_limits: Config["unenforced_limits"];
  /** Whether runsc takes network namespaces for the host's; see `mistakesNamespaces`. */
  readonly mistakes_namespaces: boolean;
  /** How long a sandbox may take to be there. */
  readonly start_limit_ms: number;
}

/** Runs guests by runsc. */
export function createSandbox(options: SandboxOptions): Sandbox {
  return {
    enforced: options.cgroups.enforced,
    async place(order) {
      if (options.unenforced_limits === "refuse") refuseUnenforced(order.limits, options.cgroups.enforced);
      const booted = order.network.mode === "none" ? await options.takeBooted(shapeOf(order)) : null;
      booted?.wake();
      return { booted, pad: booted?.pad ?? (await options.takePad()) };
    },
    refill: () => options.refill(),
    run: (place, guest, limits) => new GuestRun(options, place, guest).run(limits),
  };
}

/** The way of one guest: a sandbox that waits for it, or one of its own, and that once more where it deserves it. */
class GuestRun {
  readonly #options: SandboxOptions;
  readonly #pad: Launchpad;
  readonly #booted: BootedSandbox | null;
  readonly #guest: Guest;
  /** Names for the cgroups of further starts. */
  readonly #names: string[];
  #used_ms = 0;

  constructor(options: SandboxOptions, { pad, booted }: Place, guest: Guest) {
    this.#options = options;
    this.#pad = pad;
    this.#booted = booted;
    this.#guest = guest;
    this.#names = namesOfFurther(pad.id);
  }

  async run(limits: ProcessLimits): Promise<SandboxExit> {
    const warm = await this.#runBooted(limits);
    if (warm) return warm;
    const isFresh = this.#booted === null;
    const first = await this.#boot(limits, isFresh ? this.#pad : await this.#startAnew(), false);
    const second = await planSecondAttempt(first, this.#guest, this.#pad.directory);
    if (second === null) return first;
    // A program that never was has used no time.
    if (second.reason === "hang") this.#used_ms -= first.wall_ms;
    const exit = await this.#boot(limits, await this.#startAnew(), second.makeCwd);
    checkSecondAttempt(exit, second, this.#guest);
    return exit;
  }

  /** @returns null when nothing of the guest has run or been seen: then it has a sandbox booted for it */
  async #runBooted(limits: ProcessLimits): Promise<SandboxExit | null> {
    const booted = this.#booted;
    const tape = booted && tapeOf(this.#options.arch, this.#guest);
    if (!booted || !tape) return null;
    const { cgroup, launcher, directory } = this.#pad;
    let before: CgroupUsage | null = null;
    const start = async () => {
      before = await takeOver(booted, this.#guest, tape);
      return launcher.child;
    };
    const exit = await this.#toEnd(start, limits, cgroup, []);
    if (exit.stop === null && (await neverBegan(booted))) return null;
    if ((await planSecondAttempt(exit, this.#guest, directory)) !== null) return null;
    return { ...exit, warm: true, usage: exit.usage && before && usageSince(before, exit.usage) };
  }

  /** Boots a sandbox for the guest. */
  async #boot(limits: ProcessLimits, start: Start, makeCwd: boolean): Promise<SandboxExit> {
    const { runsc, emptyRoot, start_limit_ms, mistakes_namespaces } = this.#options;
    const { directory, id } = this.#pad;
    const guest = this.#guest;
    await giveOutput(this.#pad, guest.user);
    if (!makeCwd) await makeOutputCwd(directory, guest.cwd, guest.user);
    const image = rootOf(guest, directory);
    const spec = buildSpec({ ...guest, ...image, makeCwd, emptyRoot, outputDirectory: directory.output });
    const launch = await prepareStart(runsc, { directory, id }, start, {
      image: guest,
      spec,
      limits: guest.limits,
      stdin: guest.stdin,
      network: { mode: guest.network.mode, hidden_by: mistakes_namespaces ? emptyRoot : null },
      keepsInput: false,
    });
    const throttle = new Throttle(directory.pidFile, () => start.cgroup.throttle(guest.limits));
    try {
      const watches = [startWatch(directory.pidFile, start_limit_ms), throttle.watch];
      const child = async () => {
        await launch();
        return start.launcher.child;
      };
      const exit = await this.#toEnd(child, limits, start.cgroup, watches);
      await throttle.end();
      return exit;
    } finally {
      throttle.cancel();
    }
  }

  /** The wall clock counts from the first start. */
  async #toEnd(
    start: Parameters<typeof runProcess>[0],
    limits: ProcessLimits,
    cgroup: RunCgroup,
    watches: readonly Watch[],
  ): Promise<SandboxExit> {
    const { runsc } = this.#options;
    const { wall_clock_ms } = limits;
    try {
      const exit = await runProcess(start, {
        ...limits,
        wall_clock_ms: wall_clock_ms === null ? null : Math.max(1, wall_clock_ms - this.#used_ms),
        watches: [...(limits.watches ?? []), oomWatch(cgroup), ...watches],
      });
      this.#used_ms += exit.wall_ms;
      if (SHELL_FAILURES.includes(exit.status.code)) await access(runsc.path, constants.X_OK);
      return await inspectExit(this.#pad.directory, exit, cgroup);
    } catch (error) {
      throw spawnFault(error, runsc.path);
    }
  }

  /** Clears away what the last start has left, and makes what the next one has of its own; given back with the rest. */
  async #startAnew(): Promise<Start> {
    const { id, directory } = this.#pad;
    const leftovers = [directory.log, directory.panicLog, directory.pidFile, directory.state];
    await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
    await this.#guest.network.restore();
    return makeStart(this.#options, this.#pad, this.#names.pop() ?? id);
  }
}

/** The kernel may have killed a part of the sandbox that the rest waits for in vain. */
function oomWatch(cgroup: RunCgroup): Watch {
  return async () => ((await cgroup.oomKilled()) ? "oom_killed" : null);
}

function spawnFault(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== "ENOENT" && errno !== "EACCES") return error;
  return new BoxerError("runsc_missing", `Cannot start ${basename(path)}: ${errno}`, { cause: error });
}
