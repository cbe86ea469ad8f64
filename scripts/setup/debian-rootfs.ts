import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, shellQuote } from "./command.ts";
import { bundleConfig, sandboxFlags } from "./sandbox.ts";

const LEFT_OUT = ["doc", "man", "info", "locale", "lintian", "bug", "menu", "doc-base", "common-licenses"];

/**
 * Unpacks Debian packages into `rootfs`, which must exist and be empty, without running their scripts: no root is
 * needed and nothing of a package is run on this machine. Documentation and translations are left out.
 */
export async function unpackPackages(debs: readonly string[], rootfs: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(rootfs, "usr", name), { recursive: true });
    await symlink(join("usr", name), join(rootfs, name));
  }
  const excludes = [...LEFT_OUT.map((name) => `./usr/share/${name}/*`), "./usr/lib/*/gconv/*"];
  const tar = ["tar", "-x", "-p", "--keep-directory-symlink", "--no-same-owner"];
  const unpack = [...tar, ...excludes.map((pattern) => `--exclude=${pattern}`), "-C", rootfs]
    .map(shellQuote)
    .join(" ");
  for (const deb of debs) {
    await runCommand(["sh", "-c", `dpkg-deb --fsys-tarfile ${shellQuote(deb)} | ${unpack}`]);
  }
}

/** A script to run as root of a sandbox on a root directory; `bundle` is an empty directory for runsc's use. */
export interface RootfsJob {
  rootfs: string;
  script: string;
  bundle: string;
}

/** Runs a shell script inside a sandbox and keeps what it changes in its root directory. */
export async function runInRootfs(runsc: string, platform: string, job: RootfsJob): Promise<void> {
  const config = bundleConfig(["/bin/sh", "-euc", job.script], job.rootfs);
  await writeFile(join(job.bundle, "config.json"), JSON.stringify(config));
  const flags = [...sandboxFlags(platform, job.bundle), "--overlay2=none"];
  await runCommand([runsc, ...flags, "run", `--bundle=${job.bundle}`, "finish"], { timeout_ms: 300_000 });
}

/** The directories that every container root has, whatever is in it. */
export async function addMountPoints(rootfs: string): Promise<void> {
  for (const name of ["dev", "proc", "sys", "run", "root"])
    await mkdir(join(rootfs, name), { recursive: true });
  for (const name of ["tmp", "var/tmp"]) {
    await mkdir(join(rootfs, name), { recursive: true });
    await chmod(join(rootfs, name), 0o1777);
  }
  await rm(join(rootfs, "boot"), { recursive: true, force: true });
}
