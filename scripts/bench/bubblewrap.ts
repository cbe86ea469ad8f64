import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mergeEnvironment } from "../../src/sandbox/environment.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";
import { extractErofs, noFsck } from "../../test/support/fixtures.ts";
import { loadSettings } from "../setup/load-settings.ts";
import { Progress } from "../setup/progress.ts";
import { inSetUp } from "../setup/set-up.ts";
import { ensureTool } from "../setup/tools.ts";
import { type BenchContext, writeInputs } from "./bench-context.ts";
import type { RawRunsc } from "./raw-runsc.ts";
import { runProgram } from "./run-program.ts";
import type { Workload } from "./workloads.ts";

/** Runs a workload once under bubblewrap: namespaces of the host's own kernel, no gVisor. */
export type Bubblewrap = (workload: Workload) => Promise<void>;

/**
 * Gets bubblewrap, which is the lower bound: what the same program costs in a sandbox that shares the kernel.
 * @returns null, having told why, where it cannot be had or used
 */
export async function openBubblewrap(context: BenchContext, raw: RawRunsc): Promise<Bubblewrap | null> {
  try {
    if (noFsck) throw new Error(noFsck);
    const path = await inSetUp(await loadSettings([]), new Progress(console.log), (setup) =>
      ensureTool(setup, { program: "bwrap", package: "bubblewrap" }),
    );
    const inputs = await writeInputs(context, "bwrap/inputs");
    const roots = new Map<string, Promise<string>>();
    const rootOf = (workload: Workload): Promise<string> => {
      const root = roots.get(workload.image) ?? extractRoot(context, raw, workload, `${roots.size}`);
      roots.set(workload.image, root);
      return root;
    };
    const output = await context.directory("bwrap/output");
    await chmod(output, 0o777);
    return async (workload) => {
      const argv = bubblewrapArgv(path, await rootOf(workload), workload, { inputs, output });
      const env = mergeEnvironment(raw.imageOf(workload).config.env, []).flatMap((entry) => {
        const at = entry.indexOf("=");
        return ["--setenv", entry.slice(0, at), entry.slice(at + 1)];
      });
      await runProgram([...argv, ...env, "--", ...workload.cmd], workload);
    };
  } catch (error) {
    context.report.note(`No figures of bubblewrap: ${String(error)}`);
    return null;
  }
}

/** What a run of Boxer has, as far as bubblewrap can give it: all namespaces, nobody, /tmp, /output and the inputs. Pure. */
export function bubblewrapArgv(
  path: string,
  root: string,
  { files }: Pick<Workload, "files">,
  directories: { readonly inputs: string; readonly output: string },
): string[] {
  const binds = Object.keys(files).flatMap((file) => [
    "--ro-bind",
    join(directories.inputs, file),
    `/${file}`,
  ]);
  return [
    path,
    ...["--unshare-all", "--die-with-parent", "--clearenv", "--hostname", "boxer"],
    ...["--unshare-user", "--uid", `${NOBODY.uid}`, "--gid", `${NOBODY.gid}`],
    ...["--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/"],
    ...["--bind", directories.output, "/output", ...binds],
  ];
}

/** The image as a directory, with the mount points that a read-only root must have. */
async function extractRoot(
  context: BenchContext,
  raw: RawRunsc,
  workload: Workload,
  name: string,
): Promise<string> {
  const { rootfs, rootfs_type } = raw.imageOf(workload);
  if (rootfs_type !== "erofs") throw new Error("images are directories here");
  const root = join(await context.directory("bwrap/roots"), name);
  await extractErofs(rootfs, root);
  for (const directory of ["proc", "dev", "tmp", "output"])
    await mkdir(join(root, directory), { recursive: true });
  for (const file of Object.keys(context.inputs)) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), "");
  }
  return root;
}
