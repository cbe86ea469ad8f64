import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/**
 * Finds a program.
 * @param preferred looked at first; undefined or absent ones are passed over
 * @param searchPath as `$PATH`
 * @returns its absolute path, or null
 */
export async function findExecutable(
  name: string,
  preferred: readonly string[],
  searchPath: string,
): Promise<string | null> {
  const inPath = searchPath
    .split(delimiter)
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => join(directory, name));
  for (const candidate of [...preferred, ...inPath]) {
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

/** Whether a path is a regular file that this process may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    // Deno judges a symbolic link by its own mode.
    const target = await realpath(path);
    await access(target, constants.X_OK);
    return (await stat(target)).isFile();
  } catch {
    return false;
  }
}
