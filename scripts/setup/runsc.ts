import { chmod, copyFile, rm, stat } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/core/errors.ts";
import { findExecutable, isExecutable } from "../../src/platform/find-executable.ts";
import { runCommand } from "./command.ts";
import { downloadRelease } from "./runsc-release.ts";
import { smokeTest } from "./runsc-smoke.ts";
import type { SetupContext } from "./setup-context.ts";
import { SetupError } from "./setup-error.ts";
import { installPath } from "./workspace.ts";

/** The suite whose runsc is known good: older ones lack systrap, a later build of the same source crashes. */
const RUNSC_SUITE = "trixie";

const SUPPLIERS = [
  { name: "Debian's package", fetch: fromDebian },
  { name: "gVisor's release", fetch: fromRelease },
];

/**
 * Finds or fetches a `runsc` that works here and returns its path: the configured one, the one an earlier set-up
 * kept, the one in PATH, Debian's, gVisor's own release. Throws {@link SetupError} when there is none.
 */
export async function ensureRunsc(context: SetupContext): Promise<string> {
  const { settings } = context;
  if (settings.runsc_path !== undefined) return configuredRunsc(context, settings.runsc_path);
  const faults: string[] = [];
  const found = await runscHere(context, faults);
  if (found !== undefined) return found;
  for (const { name, fetch } of SUPPLIERS) {
    context.progress.note(`fetching ${name}`);
    try {
      return await keepIfGood(context, await fetch(context));
    } catch (error) {
      faults.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new SetupError(
    `No usable runsc for platform ${settings.platform}. Install gVisor's runsc in PATH or configure "runsc_path"; ` +
      `where runsc works but not the platform, configure "platform" (systrap or ptrace).${faults.map((fault) => `\n  ${fault}`).join("")}`,
  );
}

async function configuredRunsc(context: SetupContext, path: string): Promise<string> {
  const fault = await faultOf(context, path).catch(messageOf);
  if (fault === undefined) return path;
  throw new SetupError(
    `The configured runsc_path cannot be used; correct it, or leave it out to have one found: ${path}: ${fault}`,
  );
}

/** The one of an earlier set-up, else the one in PATH; what is wrong with either goes to `faults`. */
async function runscHere(context: SetupContext, faults: string[]): Promise<string | undefined> {
  const kept = join(context.places.bin, "runsc");
  const candidates = [
    (await isExecutable(kept)) ? kept : null,
    await findExecutable("runsc", [], context.searchPath),
  ];
  for (const path of candidates) {
    if (path === null) continue;
    const fault = await faultOf(context, path);
    // The server prefers the kept one to the one in PATH, so a worse one must not stay.
    if (fault === undefined && path !== kept) await rm(kept, { force: true });
    if (fault === undefined) return path;
    faults.push(`${path}: ${fault}`);
  }
  return undefined;
}

/** Why a runsc is unfit, or undefined. A good verdict is remembered for this file, platform and kernel. */
async function faultOf(context: SetupContext, path: string): Promise<string | undefined> {
  const key = await verdictKey(context, path);
  if (context.state.is("runsc", key)) return undefined;
  context.progress.note(`trying ${path}`);
  const dir = await context.workspace.dir("smoke");
  const fault = await smokeTest(path, context.settings.platform, dir).catch(messageOf);
  if (fault === undefined) await context.state.remember("runsc", key);
  return fault;
}

async function verdictKey(context: SetupContext, path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return [path, size, mtimeMs, context.settings.platform, release(), process.getuid?.()].join(" ");
}

async function keepIfGood(context: SetupContext, path: string): Promise<string> {
  const fault = await faultOf(context, path);
  if (fault !== undefined) throw new SetupError(fault);
  const kept = join(context.places.bin, "runsc");
  await installPath(path, kept);
  await context.state.remember("runsc", await verdictKey(context, kept));
  return kept;
}

async function fromDebian(context: SetupContext): Promise<string> {
  const archive = await context.archive(RUNSC_SUITE);
  const dir = await context.workspace.dir("runsc");
  await runCommand(["dpkg-deb", "--extract", await archive.download("runsc"), dir]);
  const path = join(dir, "runsc");
  await copyFile(join(dir, "usr/bin/runsc"), path);
  await chmod(path, 0o755);
  return path;
}

async function fromRelease(context: SetupContext): Promise<string> {
  const path = join(await context.workspace.dir("release"), "runsc");
  await downloadRelease(context.runscReleases, context.architecture.gvisor, path);
  return path;
}
