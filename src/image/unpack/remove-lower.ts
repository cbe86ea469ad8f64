import { readdir } from "node:fs/promises";
import type { DirectoryNode, DirectoryTree } from "./directory-tree.ts";

/** Removes what lower layers left under a name. What the current layer made there, or below it, stays. */
export async function removeLower(tree: DirectoryTree, parent: DirectoryNode, name: string): Promise<void> {
  if (!tree.wasMade(parent, name)) return tree.remove(parent, name);
  const found = tree.look(parent, name);
  if (typeof found === "object") await removeLowerContent(tree, found);
}

/** Removes what lower layers left in a directory, which itself stays. */
export async function removeLowerContent(tree: DirectoryTree, directory: DirectoryNode): Promise<void> {
  for (const name of await readdir(tree.pathOfDirectory(directory))) await removeLower(tree, directory, name);
}
