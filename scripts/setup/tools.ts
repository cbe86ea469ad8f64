import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../src/core/errors.ts";
import { findExecutable } from "../../src/platform/find-executable.ts";
import { runCommand, shellQuote, tryCommand } from "./command.ts";
import type { SetupContext } from "./setup-context.ts";
import { SetupError } from "./setup-error.ts";
import { installPath, writeWhole } from "./workspace.ts";

/** A program and the Debian package that has it. */
export interface Tool {
  program: string;
  package: string;
  /** Where the package may have it, when not as `usr/bin/<program>`: releases of Debian differ. */
  paths?: readonly string[];
}

const NOT_NEEDED = ["usr/share/doc", "usr/share/man", "usr/share/locale"];

/**
 * Finds a program that an earlier set-up kept or that is in PATH; else unpacks its Debian package, with the
 * libraries that this machine lacks, under the home directory and puts a small script of its name beside `runsc`.
 * The machine itself is not changed and no root is needed. Returns the program's path. Throws {@link SetupError}
 * when that fails.
 */
export async function ensureTool(context: SetupContext, tool: Tool): Promise<string> {
  const kept = join(context.places.bin, tool.program);
  const found = await findExecutable(tool.program, [kept], context.searchPath);
  if (found !== null) return found;
  context.progress.note(`fetching Debian's ${tool.package}`);
  try {
    await unpackTool(context, tool, kept);
    return kept;
  } catch (error) {
    const advice = `Install ${tool.program} ("apt install ${tool.package}")`;
    throw new SetupError(`${advice}: ${messageOf(error)}`, { cause: error });
  }
}

async function unpackTool(context: SetupContext, tool: Tool, launcher: string): Promise<void> {
  const root = rootOf(context, tool);
  // Another program may have come with the same package.
  if (!existsSync(programIn(root, tool))) await unpackPackage(context, tool.package, root);
  const { program, libraries } = await behindLauncher(context, tool, launcher);
  await checkLibraries(program, libraries);
  const environment = [`LD_LIBRARY_PATH=${shellQuote(libraries)}`, ...(await fontSettings(root))].join(" ");
  await writeWhole(launcher, `#!/bin/sh\n${environment} exec ${shellQuote(program)} "$@"\n`, 0o755);
}

async function unpackPackage(context: SetupContext, name: string, root: string): Promise<void> {
  const archive = await context.archive(context.suite);
  const debs = await archive.downloadWithDependencies([name], { like: "this machine" });
  const unpacked = await context.workspace.dir(name);
  for (const deb of debs) await runCommand(["dpkg-deb", "--extract", deb, unpacked]);
  for (const path of NOT_NEEDED) await rm(join(unpacked, path), { recursive: true, force: true });
  await installPath(unpacked, root);
}

/** Where a program is in its unpacked package, or would be. */
function programIn(root: string, { program, paths = [] }: Tool): string {
  const candidates = [...paths, join("usr/bin", program)].map((path) => join(root, path));
  return candidates.find((path) => existsSync(path)) ?? join(root, paths[0] ?? join("usr/bin", program));
}

/**
 * The program that starts when `path`, which {@link ensureTool} returned, is run: another one for a script of its
 * own. `libraries` is what that script has in LD_LIBRARY_PATH.
 */
export async function behindLauncher(
  context: SetupContext,
  tool: Tool,
  path: string,
): Promise<{ program: string; libraries: string }> {
  if (path !== join(context.places.bin, tool.program)) return { program: path, libraries: "" };
  const root = rootOf(context, tool);
  const libraries = await libraryDirectories(root, context.architecture.triplet);
  return { program: programIn(root, tool), libraries: libraries.join(":") };
}

function rootOf(context: SetupContext, tool: Tool): string {
  return join(context.places.setup, "tools", tool.package);
}

/** Where fonts came with the packages this machine has none, and without its configuration text would have no size. */
async function fontSettings(root: string): Promise<string[]> {
  const fonts = join(root, "usr/share/fonts");
  if (!existsSync(fonts)) return [];
  const file = join(root, "fonts.conf");
  const cache = join(root, "var/cache/fontconfig");
  await writeFile(file, `<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>\n`);
  return [`FONTCONFIG_FILE=${shellQuote(file)}`];
}

/** Where the unpacked packages have shared libraries; some keep theirs one directory further down. */
async function libraryDirectories(root: string, triplet: string): Promise<string[]> {
  const directories: string[] = [];
  for (const base of [join(root, "usr/lib", triplet), join(root, "lib", triplet)]) {
    const entries = await readdir(base, { withFileTypes: true }).catch(() => []);
    const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(base, name));
    directories.push(base, ...below);
  }
  return directories;
}

async function checkLibraries(program: string, libraries: string): Promise<void> {
  const { stdout } = await tryCommand(["ldd", program], { env: { LD_LIBRARY_PATH: libraries } });
  const missing = Array.from(stdout.matchAll(/^\s*(\S+) => not found/gm), ([, name]) => name);
  if (missing.length > 0) throw new SetupError(`${program} needs ${missing.join(", ")}`);
}
