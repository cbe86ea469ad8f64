import { readFileSync, writeFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../core/errors.ts";
import type { Setting } from "./controllers.ts";

/** What a kernel without the file says: a cgroup file system lets nobody make files. */
const ABSENT = ["ENOENT", "EACCES", "EPERM", "EOPNOTSUPP", "EINVAL"];

/**
 * Writes settings, in order. Here and below without the thread pool: the kernel answers from memory, and the way to another
 * thread and back takes longer than that.
 * @throws what write(2) gives, unless the setting is optional and not to be had
 */
export async function applySettings(cgroup: string, settings: readonly Setting[]): Promise<void> {
  for (const { file, value, isOptional } of settings) {
    try {
      writeFileSync(join(cgroup, file), value);
    } catch (error) {
      if (!(isOptional && ABSENT.includes(errnoOf(error) ?? ""))) throw error;
    }
  }
}

/** The number in a file, or null where there is none. */
export async function readNumber(path: string): Promise<number | null> {
  const text = (await readIfAny(path)).trim();
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** The numbers of a file of lines such as `oom_kill 1`, by their names; empty where it is missing. */
export async function readNumbers(path: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await readIfAny(path)).split("\n").map((line) => line.split(" "));
  return new Map(lines.flatMap(([name, value]) => (name && value ? [[name, Number(value)]] : [])));
}

/** The words of a file such as cgroup.controllers; none where it is missing. */
export async function readWords(path: string): Promise<string[]> {
  return (await readIfAny(path)).split(/\s+/).filter(Boolean);
}

/** Whether there is a file or directory that can be seen. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readIfAny(path: string): Promise<string> {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
