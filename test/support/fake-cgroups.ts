import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes files below a directory; a value ends in a newline, as the kernel's do. */
export async function plant(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text === "" ? "" : `${text}\n`);
  }
}

/** rmdir(2) as it is on cgroups: files do not count, processes and cgroups below do. */
export async function cgroupRmdir(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  const procs = await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "");
  if (procs.trim() !== "" || entries.some((entry) => entry.isDirectory())) {
    throw Object.assign(new Error(`EBUSY: ${path}`), { code: "EBUSY" });
  }
  await rm(path, { recursive: true });
}
