import { lstat, mkdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeEnd, lastLines, tryCommand } from "./command.ts";
import { bundleConfig, type Mount, sandboxFlags } from "./sandbox.ts";

const RUNS = 20;
const AT_ONCE = 2;
const TIMEOUT_MS = 20_000;

/** Some builds crash when a task starts, once in a few dozen: runs of one process may all pass. */
const SCRIPT = "i=0; while [ $i -lt 8 ]; do /bin/true; i=$((i + 1)); done";

/**
 * Runs twenty sandboxes with a few short processes each and says why this `runsc` must not be used, or
 * undefined when every run ended with exit code 0 and no crash of gVisor's. The programs are this machine's own,
 * seen read-only.
 *
 * @param dir an empty directory for the bundle and runsc's state.
 */
export async function smokeTest(runsc: string, platform: string, dir: string): Promise<string | undefined> {
  const rootfs = join(dir, "rootfs");
  await mkdir(rootfs);
  const mounts = await hostPrograms(rootfs);
  await writeFile(
    join(dir, "config.json"),
    JSON.stringify(bundleConfig(["/bin/sh", "-c", SCRIPT], rootfs, mounts)),
  );
  let next = 0;
  let fault: string | undefined;
  const worker = async () => {
    while (fault === undefined && next < RUNS) fault ??= await runOnce(runsc, platform, dir, next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return fault;
}

/** Makes the machine's directories of programs and libraries visible in `rootfs`: links as links, others as mounts. */
async function hostPrograms(rootfs: string): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const name of ["usr", "bin", "sbin", "lib", "lib64"]) {
    const stats = await lstat(`/${name}`).catch(() => undefined);
    if (stats?.isSymbolicLink()) await symlink(await readlink(`/${name}`), join(rootfs, name));
    if (stats?.isDirectory()) {
      mounts.push({ destination: `/${name}`, type: "bind", source: `/${name}`, options: ["ro", "rbind"] });
    }
  }
  return mounts;
}

async function runOnce(
  runsc: string,
  platform: string,
  dir: string,
  index: number,
): Promise<string | undefined> {
  const panicLog = join(dir, `panic-${index}.log`);
  const flags = [...sandboxFlags(platform, dir), `--panic-log=${panicLog}`];
  const id = `smoke-${index}`;
  const argv = [runsc, ...flags, "run", `--bundle=${dir}`, id];
  const result = await tryCommand(argv, { timeout_ms: TIMEOUT_MS });
  // The sandbox is a process of its own, which outlives its parent.
  if (result.timedOut)
    await tryCommand([runsc, ...flags, "delete", "--force", id], { timeout_ms: TIMEOUT_MS });
  const panic = await readFile(panicLog, "utf8").catch(() => "");
  if (result.code === 0 && panic === "") return undefined;
  const [reason = ""] = panic.split("\n");
  const words = reason || lastLines(result.stderr, 1);
  return `a trial run with platform ${platform} ended with ${describeEnd(result)}: ${words}`;
}
