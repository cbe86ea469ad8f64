import { readFile, rename, writeFile } from "node:fs/promises";
import { basename } from "node:path";

/**
 * Notes which cgroups the service has had as parents: one started elsewhere, say in another login session, has others,
 * and could not find what the one before left when it was killed.
 * @param file survives the service
 * @param current the parents in use
 * @returns those of earlier servers and the current ones; only ones of the same name, as a file can be wrong
 * @throws what write(2) gives
 */
export async function noteParents(file: string, current: readonly string[]): Promise<string[]> {
  const names = new Set(current.map((path) => basename(path)));
  const earlier = parse(await readFile(file, "utf8").catch(() => "")).filter((path) =>
    names.has(basename(path)),
  );
  const all = [...new Set([...earlier, ...current])];
  await writeFile(`${file}.new`, JSON.stringify(all));
  await rename(`${file}.new`, file);
  return all;
}

function parse(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}
