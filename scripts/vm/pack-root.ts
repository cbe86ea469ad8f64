import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { findExecutable } from "../../src/platform/find-executable.ts";
import { addBusybox } from "../setup/busybox-image.ts";
import { runCommand, shellQuote, tryCommand } from "../setup/command.ts";
import { addMountPoints } from "../setup/debian-rootfs.ts";
import { placesAt } from "../setup/places.ts";
import { SetupError } from "../setup/setup-error.ts";
import type { MachineParts } from "./ensure-parts.ts";

const SOURCES = ["src", "scripts", "test", "public", "package.json", "tsconfig.json", "bunfig.toml"];
/** What the server starts and busybox has otherwise: this machine's own. */
const GNU_PROGRAMS = ["find"];
/** Bun's packages hold its program several times; it is put in its place alone. */
const NOT_COPIED = /^node_modules\/(bun|@oven\/.*)$/;

/**
 * Packs a root file system, as a cpio archive for the kernel, that runs test files in Bun with the real runsc and
 * then ends: the source tree at `/boxer`, the server's home as set-up makes it, and the C library of this machine.
 *
 * @param source the directory of package.json
 * @param tests paths of test files below it
 * @returns how large it is, in words
 */
export async function packRoot(
  source: string,
  parts: MachineParts,
  tests: readonly string[],
  initrd: string,
): Promise<string> {
  const root = await mkdtemp(join(dirname(initrd), "root-"));
  await addMountPoints(root);
  await addBusybox(root, parts.busybox);
  await copyFile(join(import.meta.dirname, "init.sh"), join(root, "init"));
  await runCommand(["chmod", "755", join(root, "init")]);
  await writeFile(join(root, "tests"), `${tests.join("\n")}\n`);
  for (const name of GNU_PROGRAMS) await addGnuProgram(root, name);
  await addSource(root, source);
  await addHome(root, parts);
  const archive = `find . | ${shellQuote(parts.busybox)} cpio -o -H newc -R 0:0 > ${shellQuote(initrd)}`;
  await runCommand(["sh", "-c", archive], { cwd: root });
  await rm(root, { recursive: true });
  return `${Math.round((await stat(initrd)).size / (1 << 20))} MB`;
}

async function addGnuProgram(root: string, name: string): Promise<void> {
  const program = await findExecutable(name, [], process.env.PATH ?? "");
  if (program === null) throw new SetupError(`Install ${name}: the machine is to have it from this one`);
  await rm(join(root, "bin", name), { force: true });
  await addProgram(root, { program, libraries: "" }, join(root, "bin", name));
}

/** The source tree with Bun and the packages that the server needs. */
async function addSource(root: string, source: string): Promise<void> {
  const target = join(root, "boxer");
  await copyAll(
    SOURCES.map((name) => join(source, name)),
    target,
  );
  const lock = JSON.parse(await readFile(join(source, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    const wanted = path !== "" && !dev && !devOptional && !NOT_COPIED.test(path);
    // A package's directory holds those that it alone needs.
    if (wanted && existsSync(join(source, path)) && !existsSync(join(target, path)))
      await copyAll([join(source, path)], dirname(join(target, path)));
  }
  const bun = await realpath(join(source, "node_modules/.bin/bun"));
  await addProgram(root, { program: bun, libraries: "" }, join(target, "node_modules/.bin/bun"));
}

/** The server's home: programs, and images with what the tests made of them, which is slow in the machine. */
async function addHome(root: string, parts: MachineParts): Promise<void> {
  const { bin, setup } = placesAt(join(root, "root/.boxer"));
  await copyAll([parts.pythonLayout, parts.busyboxLayout, ...(await testImages(parts.pythonLayout))], setup);
  await addProgram(root, { program: parts.runsc, libraries: "" }, join(bin, "runsc"));
  await addProgram(root, parts.mkfsErofs, join(bin, "mkfs.erofs"));
}

/** The newest store of test images beside the layout that they were made from, if there is one. */
async function testImages(layout: string): Promise<string[]> {
  const directory = dirname(layout);
  const prefix = `${basename(layout)}-test-images-`;
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix) && !name.includes("."));
  const stores = await Promise.all(
    names.map(async (name) => ({ path: join(directory, name), ...(await stat(join(directory, name))) })),
  );
  const newest = stores.toSorted((a, b) => b.mtimeMs - a.mtimeMs)[0];
  return newest ? [newest.path] : [];
}

/** Copies a program, and the shared libraries that it is linked with to where the loader looks for them. */
async function addProgram(
  root: string,
  { program, libraries }: MachineParts["mkfsErofs"],
  target: string,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(program, target);
  await runCommand(["chmod", "755", target]);
  for (const library of await librariesOf(program, libraries)) {
    const directory = basename(library).startsWith("ld-") ? dirname(library) : "/lib";
    await mkdir(join(root, directory), { recursive: true });
    await copyFile(library, join(root, directory, basename(library)));
  }
}

/** Paths of the shared libraries, the loader included; none for a program that is linked statically. */
async function librariesOf(program: string, libraries: string): Promise<string[]> {
  const env = libraries === "" ? {} : { LD_LIBRARY_PATH: libraries };
  const { stdout } = await tryCommand(["ldd", program], { env });
  return Array.from(stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm), ([, path = ""]) => path);
}

async function copyAll(from: readonly string[], into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await runCommand(["cp", "-a", ...from, into]);
}
