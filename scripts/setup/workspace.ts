import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * A directory for half-done work under the home, on the same file system as what becomes of it. Named after the
 * process, so that what a killed set-up left is known and swept by the next one.
 */
export class Workspace {
  readonly #root: string;
  #made = false;

  /** @param root directory of all workspaces; made when first needed. */
  constructor(root: string) {
    this.#root = root;
  }

  /** A new empty directory. */
  async dir(label: string): Promise<string> {
    if (!this.#made) {
      await mkdir(this.#root, { recursive: true });
      await this.#sweep();
      this.#made = true;
    }
    return mkdtemp(join(this.#root, `${process.pid}-${label}-`));
  }

  /** Removes everything made here. */
  async remove(): Promise<void> {
    if (!this.#made) return;
    for (const name of await readdir(this.#root)) {
      if (ownerOf(name) === process.pid) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#root)) {
      if (!isAlive(ownerOf(name))) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

/**
 * Puts a finished file or directory in its place; what was there before is removed. A directory that another
 * set-up puts there at the same moment is as good as ours and stays.
 */
export async function installPath(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (await renamed(from, to)) return;
  const old = join(dirname(from), `${process.pid}-old-${basename(to)}`);
  await rename(to, old).catch(() => undefined);
  await renamed(from, to);
  await rm(old, { recursive: true, force: true });
}

/** Renames; false when a directory is in the way, which rename(2) replaces only when empty. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Writes a small file so that a reader sees the old content or the new, never half. */
export async function writeWhole(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  await writeFile(beside, content, { mode });
  await rename(beside, path);
}

function ownerOf(name: string): number {
  return Number.parseInt(name, 10) || 0;
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
