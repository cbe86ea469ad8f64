import { existsSync } from "node:fs";
import { chmod, copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { busyboxImage, fetchBusybox } from "../setup/busybox-image.ts";
import { runCommand } from "../setup/command.ts";
import { ensureLocalImage } from "../setup/local-image.ts";
import { MKFS_EROFS, makePrograms } from "../setup/set-up.ts";
import type { SetupContext } from "../setup/setup-context.ts";
import { SetupError } from "../setup/setup-error.ts";
import { behindLauncher, ensureTool, type Tool } from "../setup/tools.ts";
import { installPath } from "../setup/workspace.ts";

/** Paths of what a machine is made of. */
export interface MachineParts {
  qemu: string;
  kernel: string;
  /** Statically linked. */
  busybox: string;
  runsc: string;
  /** The program itself, and a search path for its shared libraries that is looked at before the machine's own. */
  mkfsErofs: { program: string; libraries: string };
  pythonLayout: string;
  busyboxLayout: string;
}

const QEMU: Tool = { program: "qemu-system-x86_64", package: "qemu-system-x86" };
const KERNEL = "linux-image-cloud-amd64";
/** The kernel's package needs these to be installed, not to be started. */
const NOT_NEEDED = ["kmod", "linux-base", "initramfs-tools"];
/** Changes whenever what is kept would come out differently for reasons of ours. */
const RECIPE = "1";

/**
 * Makes everything there that a machine is made of; does nothing that is done already. Throws SetupError where it
 * cannot be had.
 */
export async function ensureParts(context: SetupContext): Promise<MachineParts> {
  const { architecture, places, progress } = context;
  if (architecture.debian !== "amd64") throw new SetupError("The machine for tests is made for x86_64 only");
  const { runsc, mkfsErofs } = await makePrograms(context);
  await progress.step("busybox", () => ensureLocalImage(context, busyboxImage(context)));
  const qemu = await progress.step("qemu", () => ensureTool(context, QEMU));
  const kept = join(places.setup, "vm");
  await progress.step("kernel", () => ensureKernel(context, kept));
  return {
    qemu,
    kernel: join(kept, "vmlinuz"),
    busybox: join(kept, "busybox"),
    runsc,
    mkfsErofs: await behindLauncher(context, MKFS_EROFS, mkfsErofs),
    pythonLayout: places.pythonLayout,
    busyboxLayout: places.busyboxLayout,
  };
}

/** Fetches the kernel of the machine's own Debian release, and a busybox to start with. Returns `directory`. */
async function ensureKernel(context: SetupContext, directory: string): Promise<string> {
  const { architecture, progress, state, suite, workspace } = context;
  const key = `${suite} ${architecture.debian} ${RECIPE}`;
  if (state.is("vm", key) && existsSync(directory)) return directory;
  progress.note(`fetching Debian's ${KERNEL}`);
  const archive = await context.archive(suite);
  const empty = { like: "an empty machine", except: NOT_NEEDED } as const;
  const unpacked = await workspace.dir("kernel");
  for (const deb of await archive.downloadWithDependencies([KERNEL], empty)) {
    await runCommand(["dpkg-deb", "--extract", deb, unpacked]);
  }
  const boot = join(unpacked, "boot");
  const image = (await readdir(boot)).find((name) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new SetupError(`Debian's ${KERNEL} brings no kernel`);
  const made = await workspace.dir("vm");
  await chmod(made, 0o755);
  await copyFile(join(boot, image), join(made, "vmlinuz"));
  await copyFile(await fetchBusybox(context, archive), join(made, "busybox"));
  await installPath(made, directory);
  await state.remember("vm", key);
  return directory;
}
