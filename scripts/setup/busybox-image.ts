import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AptArchive } from "./apt-archive.ts";
import { runCommand } from "./command.ts";
import { addMountPoints } from "./debian-rootfs.ts";
import type { LocalImage } from "./local-image.ts";
import type { SetupContext } from "./setup-context.ts";

/** A tiny image for tests: Debian's static busybox with a link for each of its applets. */
export function busyboxImage(context: SetupContext): LocalImage {
  return {
    name: "busybox",
    layout: context.places.busyboxLayout,
    recipe: "1",
    env: ["PATH=/bin"],
    cmd: ["sh"],
    async fill(rootfs, archive) {
      await addMountPoints(rootfs);
      await addBusybox(rootfs, await fetchBusybox(context, archive));
    },
  };
}

/** Unpacks Debian's static busybox. Returns the program's path, which stays in the workspace. */
export async function fetchBusybox({ workspace }: SetupContext, archive: AptArchive): Promise<string> {
  const unpacked = await workspace.dir("busybox");
  await runCommand(["dpkg-deb", "--extract", await archive.download("busybox-static"), unpacked]);
  const merged = join(unpacked, "usr/bin/busybox");
  return existsSync(merged) ? merged : join(unpacked, "bin/busybox");
}

/** Puts busybox into a root directory, with a link for each of its applets, and the users root and nobody. */
export async function addBusybox(rootfs: string, busybox: string): Promise<void> {
  await mkdir(join(rootfs, "bin"), { recursive: true });
  await mkdir(join(rootfs, "etc"), { recursive: true });
  await copyFile(busybox, join(rootfs, "bin/busybox"));
  await chmod(join(rootfs, "bin/busybox"), 0o755);
  const applets = (await runCommand([busybox, "--list"])).split("\n");
  for (const name of applets.filter((applet) => applet !== "" && applet !== "busybox")) {
    await symlink("busybox", join(rootfs, "bin", name));
  }
  await writeFile(
    join(rootfs, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
  );
  await writeFile(join(rootfs, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
}
