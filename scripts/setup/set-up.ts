import { mkdir } from "node:fs/promises";
import { architectureOf } from "./architecture.ts";
import { busyboxImage } from "./busybox-image.ts";
import { ensureLocalImage } from "./local-image.ts";
import { machineSuite } from "./machine-suite.ts";
import { nodeImage } from "./node-image.ts";
import { placesAt } from "./places.ts";
import type { Progress } from "./progress.ts";
import { pythonImage } from "./python-image.ts";
import { ensureRunsc } from "./runsc.ts";
import { RUNSC_RELEASES } from "./runsc-release.ts";
import { archiveCache, type Settings, type SetupContext } from "./setup-context.ts";
import { SetupState } from "./setup-state.ts";
import { ensureTool, type Tool } from "./tools.ts";
import { Workspace } from "./workspace.ts";

export const MKFS_EROFS: Tool = { program: "mkfs.erofs", package: "erofs-utils" };

/** What `network: sandbox` is made with, by a server that is root. */
const NETWORK_TOOLS: Tool[] = [
  { program: "nft", package: "nftables", paths: ["usr/sbin/nft"] },
  { program: "ip", package: "iproute2", paths: ["bin/ip", "usr/bin/ip"] },
  { program: "tc", package: "iproute2", paths: ["sbin/tc", "usr/sbin/tc"] },
];

/** Only the tests use these. */
const TEST_TOOLS: Tool[] = [
  { program: "fsck.erofs", package: "erofs-utils" },
  { program: "dump.erofs", package: "erofs-utils" },
  { program: "skopeo", package: "skopeo" },
  { program: "umoci", package: "umoci" },
  { program: "docker-registry", package: "docker-registry" },
  { program: "podman", package: "podman" },
  { program: "ufw", package: "ufw", paths: ["usr/sbin/ufw"] },
  { program: "chromium", package: "chromium", paths: ["usr/lib/chromium/chromium"] },
];

const NOT_ROOT = [
  "Not running as root: sandboxes are started with runsc --rootless. They are as isolated as otherwise, and",
  "network none and host work. What needs root and is missing: network sandbox, and the CPU and memory limits,",
  "which need cgroups; the wall clock, process and open file limits hold.",
];

/**
 * Makes everything there that a server needs: a good runsc, mkfs.erofs, the tools of networks, the image
 * `local/python:3`; with `fixtures`, what the tests need too. Does nothing that is done already. Throws SetupError for a
 * program that cannot be had; an image, or a tool of networks or tests, that cannot be had is only told: images can still
 * be pulled, and runs without a network be made.
 */
export async function setUp(
  settings: Settings,
  progress: Progress,
  { fixtures }: { fixtures: boolean },
): Promise<void> {
  await inSetUp(settings, progress, async (context) => {
    await explainRootless(context);
    await makePrograms(context);
    if (fixtures) await makeFixtures(context);
  });
}

/** Gives `work` what steps of set-up need; removes afterwards what they left half done. */
export async function inSetUp<Result>(
  settings: Settings,
  progress: Progress,
  work: (context: SetupContext) => Promise<Result>,
): Promise<Result> {
  const places = placesAt(settings.home);
  const workspace = new Workspace(places.work);
  const architecture = architectureOf(process.arch);
  const context: SetupContext = {
    settings,
    places,
    progress,
    workspace,
    architecture,
    state: await SetupState.load(places.state),
    archive: archiveCache(workspace, architecture),
    suite: await machineSuite(),
    searchPath: process.env.PATH ?? "",
    runscReleases: process.env.BOXER_RUNSC_RELEASES ?? RUNSC_RELEASES,
  };
  await mkdir(settings.home, { recursive: true, mode: 0o700 });
  try {
    return await work(context);
  } finally {
    await workspace.remove();
  }
}

/** Told once: what a user without root has to do without. */
async function explainRootless({ progress, state }: SetupContext): Promise<void> {
  if (process.getuid?.() === 0 || state.is("rootless", "told")) return;
  for (const line of NOT_ROOT) progress.say(line);
  await state.remember("rootless", "told");
}

/** Makes what the server itself needs. Returns the paths of its two programs. */
export async function makePrograms(context: SetupContext): Promise<{ runsc: string; mkfsErofs: string }> {
  const { progress, settings } = context;
  const runsc = await progress.step("runsc", () => ensureRunsc(context));
  const mkfsErofs = await progress.step(
    "mkfs.erofs",
    async () => settings.mkfs_erofs_path ?? (await ensureTool(context, MKFS_EROFS)),
  );
  if (process.getuid?.() === 0) await attemptTools(context, NETWORK_TOOLS);
  await progress.attempt("local/python:3", () => ensureLocalImage(context, pythonImage(context, runsc)));
  return { runsc, mkfsErofs };
}

async function makeFixtures(context: SetupContext): Promise<void> {
  const { progress } = context;
  await progress.attempt("busybox", () => ensureLocalImage(context, busyboxImage(context)));
  await progress.attempt("node", () => ensureLocalImage(context, nodeImage(context)));
  await attemptTools(context, TEST_TOOLS);
}

async function attemptTools(context: SetupContext, tools: readonly Tool[]): Promise<void> {
  for (const tool of tools) await context.progress.attempt(tool.program, () => ensureTool(context, tool));
}
