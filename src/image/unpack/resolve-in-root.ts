import { readlinkSync } from "node:fs";
import type { DirectoryNode, DirectoryTree } from "./directory-tree.ts";

/** Most components of one path, those of the links on its way included; it ends loops of links as well. */
const MAX_STEPS = 256;

/** The path leads nowhere; the message ends a sentence about the entry. */
export class UnresolvablePath extends Error {}

/**
 * Finds a directory as a process would whose root directory is the root of the tree (chroot(2), path_resolution(7)):
 * links are followed, absolute ones start at that root, and `..` stays within.
 *
 * @param names components of a path from the root
 * @returns undefined when a component is missing or no directory
 * @throws UnresolvablePath when there are too many
 */
export function resolveInRoot(tree: DirectoryTree, names: readonly string[]): DirectoryNode | undefined {
  return walk(tree, names, () => undefined);
}

/**
 * As {@link resolveInRoot}, with what is missing made on the way, also where a link points to it.
 * @param make makes a directory of that name in `parent`
 * @throws UnresolvablePath when a component is no directory, or there are too many; what `make` throws
 */
export function resolveOrMakeInRoot(
  tree: DirectoryTree,
  names: readonly string[],
  make: (parent: DirectoryNode, name: string) => DirectoryNode,
): DirectoryNode {
  return walk(tree, names, (parent, name, found) => {
    if (found === "other") throw new UnresolvablePath("its parent is no directory");
    return make(parent, name);
  });
}

/**
 * Finds what is neither a directory nor a link, in the same way, with a link at the end followed too.
 *
 * @returns its path on the disk; undefined when nothing of that kind is there
 * @throws UnresolvablePath when there are too many
 */
export function findInRoot(tree: DirectoryTree, names: readonly string[]): string | undefined {
  let path: string | undefined;
  walk(tree, names, (parent, name, found, isLast) => {
    if (found === "other" && isLast) path = tree.pathOf(parent, name);
    return undefined;
  });
  return path;
}

/** @param otherwise answers for a component that is neither directory nor link; undefined ends the walk */
function walk<T extends DirectoryNode | undefined>(
  tree: DirectoryTree,
  names: readonly string[],
  otherwise: (parent: DirectoryNode, name: string, found: "nothing" | "other", isLast: boolean) => T,
): DirectoryNode | T {
  const todo = names.toReversed();
  let at = tree.root;
  for (let steps = 0; todo.length > 0; steps++) {
    if (steps >= MAX_STEPS) throw new UnresolvablePath("too many directories or links on its way");
    const name = todo.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.parent ?? at;
      continue;
    }
    const found = tree.look(at, name);
    if (found === "symlink") {
      const target = readlinkSync(tree.pathOf(at, name));
      if (target.startsWith("/")) at = tree.root;
      todo.push(...target.split("/").reverse());
      continue;
    }
    const next = typeof found === "object" ? found : otherwise(at, name, found, todo.length === 0);
    if (!next) return next;
    at = next;
  }
  return at;
}
