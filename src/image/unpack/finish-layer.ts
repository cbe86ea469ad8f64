import { applyMetadata } from "./apply-metadata.ts";
import { createBreather } from "./breather.ts";
import type { DirectoryTree } from "./directory-tree.ts";
import { unpackError } from "./unpack-error.ts";

/** Gives the directories that a layer touched their owners, permissions and times, which later writes would change. */
export async function finishLayer(tree: DirectoryTree, signal: AbortSignal | undefined): Promise<void> {
  const breathe = createBreather();
  for (const node of tree.unfinished) {
    try {
      if (tree.has(node)) applyMetadata(tree.pathOfDirectory(node), node.metadata);
    } catch (error) {
      throw unpackError(error, node.name);
    }
    await breathe();
    signal?.throwIfAborted();
  }
  tree.unfinished.clear();
}
