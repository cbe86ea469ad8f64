import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Config, resolveLimits } from "./config/config.ts";
import type { CleanupStack } from "./core/cleanup-stack.ts";
import { messageOf } from "./core/errors.ts";
import type { Home } from "./core/home.ts";
import { logLeftover } from "./core/log-leftover.ts";
import type { ImageStore } from "./image/types.ts";
import type { Platform } from "./platform/platform.ts";
import { outputRoomOf } from "./run/output-room.ts";
import type { RunnerStats } from "./run/runner.ts";
import type { Cgroups } from "./sandbox/cgroup/types.ts";
import { makeLaunchpad } from "./sandbox/launchpad/launchpad.ts";
import { Launchpads } from "./sandbox/launchpad/launchpads.ts";
import type { RunscOptions } from "./sandbox/runsc.ts";
import { createSandbox, type Sandbox } from "./sandbox/sandbox.ts";
import { type BootedSandbox, bootSandbox } from "./sandbox/warm/boot-sandbox.ts";
import { type GuestArch, guestInit } from "./sandbox/warm/guest-init.ts";
import type { BootShape } from "./sandbox/warm-pool/boot-shape.ts";
import { shapeOf } from "./sandbox/warm-pool/shape-of.ts";
import { spareBoots } from "./sandbox/warm-pool/spare-boots.ts";
import { WarmPool } from "./sandbox/warm-pool/warm-pool.ts";

/** What the sandboxes of a service are opened with. */
export interface SandboxParts {
  readonly config: Config;
  readonly platform: Platform;
  readonly home: Home;
  readonly log: Logger;
  readonly runsc: RunscOptions;
  readonly cgroups: Cgroups;
  readonly shows_memory_total: boolean;
  readonly mistakes_namespaces: boolean;
  readonly images: ImageStore;
  /** How busy the service is. */
  load(): Pick<RunnerStats, "active" | "queued">;
  /** Takes the undo. */
  readonly cleanup: CleanupStack;
}

/** What runs guests, and what is ready for them. */
export interface Sandboxes {
  readonly sandbox: Sandbox;
  readonly pool: WarmPool<BootedSandbox>;
  /** What names on the host all that waits for a run: the launchpads, also those with a booted sandbox. */
  ready(): string[];
}

/** How long a sandbox may take to be there, on a machine that is far too busy; past it runsc itself hangs. */
const START_LIMIT_MS = 15_000;

/** Puts together what runs guests. */
export function openSandboxes(parts: SandboxParts): Sandboxes {
  const { config, platform, home, log, runsc, cgroups, shows_memory_total, images, cleanup } = parts;
  const startParts = { platform, runsc, cgroups, shows_memory_total };
  const padParts = {
    ...startParts,
    runsDirectory: home.runs,
    inputsDirectory: home.inputs,
    room: outputRoomOf(config),
    onLeftover: logLeftover(log),
  };
  const launchpads: Launchpads = new Launchpads(
    (id) => makeLaunchpad(padParts, id),
    config.prepared_runs,
    log,
  );
  cleanup.defer("launchpads", () => launchpads.close());
  const takePad = () => launchpads.take();
  const arch = archOf(process.arch);
  const bootParts = {
    runsc,
    emptyRoot: home.emptyRoot,
    init: guestInit(arch ?? "x64"),
    takePad,
    start_limit_ms: START_LIMIT_MS,
  };
  const pool: WarmPool<BootedSandbox> = new WarmPool({
    // A boot has taken a launchpad, too.
    boot: (shape, control) => bootSandbox(bootParts, shape, control).finally(() => launchpads.refill()),
    spare: () => spareBoots({ cores: availableParallelism(), ...parts.load() }),
    limits: arch === null ? { ...config.warm_pool, max: 0 } : config.warm_pool,
    log,
  });
  cleanup.defer("warm pool", () => pool.close());
  images.onRemoved((digest) => void pool.drop(({ image }) => image === digest));
  launchpads.refill();
  const sandbox = createSandbox({
    ...startParts,
    takePad,
    takeBooted: (shape) => pool.take(shape),
    refill() {
      launchpads.refill();
      pool.poke();
    },
    arch: arch ?? "x64",
    mistakes_namespaces: parts.mistakes_namespaces,
    emptyRoot: home.emptyRoot,
    unenforced_limits: config.unenforced_limits,
    start_limit_ms: START_LIMIT_MS,
  });
  const ready = () => [...launchpads.ready, ...pool.ready().map(({ pad }) => pad)].map(({ id }) => id);
  return { sandbox, pool, ready };
}

/** Machines of another kind boot every sandbox for its run. */
function archOf(arch: string): GuestArch | null {
  return arch === "x64" || arch === "arm64" ? arch : null;
}

/** What is wanted of a pool, by the references that the configuration names. */
export type WantedImages = Map<string, BootShape>;

/**
 * Has a sandbox kept ready for each image that the configuration names; an image that cannot be had is logged.
 * @param wanted what was wanted the last time: where a name means another image now, those of the old one go
 */
export async function wantWarmImages(
  { pool }: Pick<Sandboxes, "pool">,
  { config, images, log }: Pick<SandboxParts, "config" | "images" | "log">,
  signal: AbortSignal,
  wanted: WantedImages = new Map(),
): Promise<void> {
  const limits = resolveLimits({}, config.defaults, "default");
  for (const reference of config.warm_pool.images) {
    try {
      const { image, release } = await images.acquire(reference, { signal });
      release();
      const { digest, rootfs, rootfs_type: rootfsType } = image;
      const before = wanted.get(reference);
      if (before && before.image !== digest) await pool.drop((shape) => shape.image === before.image);
      const shape = shapeOf({ image: digest, rootfs, rootfsType, limits });
      wanted.set(reference, shape);
      pool.want(shape, 1);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ image: reference, reason: messageOf(error) }, "cannot keep a sandbox ready");
    }
  }
}

/** Does so again whenever tags are looked up again, until the signal aborts. Never rejects. */
export async function followWarmImages(
  sandboxes: Pick<Sandboxes, "pool">,
  parts: Pick<SandboxParts, "config" | "images" | "log">,
  signal: AbortSignal,
): Promise<void> {
  const { warm_pool, image_tag_ttl_secs } = parts.config;
  const wanted: WantedImages = new Map();
  const pause_ms = Math.max(1, image_tag_ttl_secs) * 1000;
  while (warm_pool.images.length > 0 && !signal.aborted) {
    await wantWarmImages(sandboxes, parts, signal, wanted);
    await sleep(pause_ms, undefined, { signal, ref: false }).catch(() => {});
  }
}
