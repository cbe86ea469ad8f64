import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { pathsIn } from "./unpack-fixture.ts";

/**
 * Everything that images say of a tree, by path: type, permissions with setuid, setgid and sticky, owner, time in
 * seconds, and the link's target or the file's length and hash, with the first of its names where it has several.
 * Device nodes and pipes are left out.
 *
 * @param options.extracted true for what fsck.erofs has extracted: it makes each name a file of its own, and its chown
 *   takes setuid and setgid away
 */
export async function treeOf(root: string, { extracted = false } = {}): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const firstNames = new Map<number, string>();
  for (const path of [".", ...(await pathsIn(root))]) {
    const stats = lstatSync(join(root, path));
    const content = contentOf(join(root, path), stats);
    if (content === undefined) continue;
    const { mode, uid, gid, mtimeMs, ino } = stats;
    const facts = [`${uid}:${gid}`, `@${Math.floor(mtimeMs / 1000)}`, content];
    if (!stats.isSymbolicLink()) facts.unshift((mode & modeBits(stats, extracted)).toString(8));
    if (!extracted && stats.isFile()) {
      const first = firstNames.get(ino) ?? path;
      firstNames.set(ino, first);
      if (first !== path) facts.push(`= ${first}`);
    }
    tree[path] = facts.join(" ");
  }
  return tree;
}

function modeBits(stats: Stats, extracted: boolean): number {
  return extracted && stats.isFile() ? 0o1777 : 0o7777;
}

function contentOf(path: string, stats: Stats): string | undefined {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (!stats.isFile()) return undefined;
  const hash = createHash("sha256").update(readFileSync(path));
  return `${stats.size} ${hash.digest("hex")}`;
}

/** The lines in which two trees differ, `-` for the first and `+` for the second; a tree has ten thousand. */
export function differences(
  first: Readonly<Record<string, string>>,
  second: Readonly<Record<string, string>>,
): string[] {
  const paths = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort();
  return paths
    .filter((path) => first[path] !== second[path])
    .flatMap((path) => [
      `- ${path} ${first[path] ?? "is not there"}`,
      `+ ${path} ${second[path] ?? "is not there"}`,
    ]);
}
