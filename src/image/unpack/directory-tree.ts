import { lstatSync, mkdirSync } from "node:fs";
import { rm, unlink } from "node:fs/promises";
import type { EntryMetadata } from "./layer-entry.ts";

/** A directory of the root that was made here. */
export interface DirectoryNode {
  readonly parent: DirectoryNode | undefined;
  readonly name: string;
  /** Subdirectories; made on first use. */
  children: Map<string, DirectoryNode> | undefined;
  metadata: EntryMetadata;
  /** The epoch in which it was last seen on the disk to be a directory. */
  seenIn: number;
  /** The layer that `madeNames` belongs to. */
  layer: number;
  /** What that layer made in here, and the subdirectories in which it made something. */
  madeNames: Set<string> | undefined;
}

/** What the disk has under a name: nothing, a directory, a symbolic link, or something else. */
export type Found = DirectoryNode | "nothing" | "symlink" | "other";

/** Of directories that no layer describes, and of the root until one does. */
const DEFAULT_METADATA: EntryMetadata = { mode: 0o755, uid: 0, gid: 0, mtime_secs: 0 };
/** Until its layer is complete, a directory is for us alone. */
const WORKING_MODE = 0o700;

/**
 * The directories of a root file system in the making, and the only way to make or remove one.
 *
 * A path that consists of directories stays one until something other than a file is removed; removals therefore begin
 * a new epoch, in which every directory is looked at anew before it is passed through. So a path handed out here never
 * has a symbolic link before its last component, whatever the layer replaced in the meantime, and whatever names the
 * file system takes for the same.
 */
export class DirectoryTree {
  readonly root: DirectoryNode;
  /** Directories whose metadata has to be applied when the layer is complete. */
  readonly unfinished = new Set<DirectoryNode>();
  readonly #path: string;
  #epoch = 1;
  #layer = 0;
  #lastNode: DirectoryNode;
  #lastPrefix: string;

  /** @param path an empty directory that nothing else writes to */
  constructor(path: string) {
    this.#path = path;
    this.root = createNode(undefined, "");
    this.root.seenIn = Number.POSITIVE_INFINITY;
    this.#lastNode = this.root;
    this.#lastPrefix = `${path}/`;
    this.unfinished.add(this.root);
  }

  /** From here on, what is made belongs to the next layer. */
  beginLayer(): void {
    this.#layer++;
  }

  /** Path on the disk of `name` in `node`. */
  pathOf(node: DirectoryNode, name: string): string {
    if (node !== this.#lastNode) {
      let prefix = "";
      for (let at = node; at.parent; at = at.parent) prefix = `${at.name}/${prefix}`;
      this.#lastNode = node;
      this.#lastPrefix = `${this.#path}/${prefix}`;
    }
    return this.#lastPrefix + name;
  }

  /** Path on the disk of the directory. */
  pathOfDirectory(node: DirectoryNode): string {
    // Without a slash at its end, which would have the system follow a link of that name.
    return node.parent ? this.pathOf(node.parent, node.name) : this.#path;
  }

  /** Looks at a name without following it. */
  look(node: DirectoryNode, name: string): Found {
    const known = node.children?.get(name);
    if (known?.seenIn === this.#epoch) return known;
    const stats = lstatSync(this.pathOf(node, name), { throwIfNoEntry: false });
    if (!stats) return "nothing";
    if (stats.isSymbolicLink()) return "symlink";
    if (!stats.isDirectory()) return "other";
    return this.#see(node, name);
  }

  /** @throws EEXIST when the name is taken, and other errors of mkdir(2) */
  makeDirectory(node: DirectoryNode, name: string): DirectoryNode {
    mkdirSync(this.pathOf(node, name), WORKING_MODE);
    return this.#see(node, name);
  }

  setMetadata(node: DirectoryNode, metadata: EntryMetadata): void {
    node.metadata = metadata;
    this.unfinished.add(node);
  }

  /** Notes that the current layer made `name` in `node`, so that its whiteouts pass it by. */
  markMade(node: DirectoryNode, name: string): void {
    this.unfinished.add(node);
    let made = name;
    for (let at: DirectoryNode | undefined = node; at; at = at.parent) {
      if (at.layer !== this.#layer || !at.madeNames) {
        at.layer = this.#layer;
        at.madeNames = new Set();
      }
      if (at.madeNames.has(made)) return;
      at.madeNames.add(made);
      made = at.name;
    }
  }

  /** Whether the current layer made `name` in `node`, or something below it. */
  wasMade(node: DirectoryNode, name: string): boolean {
    return node.layer === this.#layer && node.madeNames?.has(name) === true;
  }

  /** Removes whatever has that name, with all below it when it is a directory; links are not followed. */
  async remove(node: DirectoryNode, name: string): Promise<void> {
    const path = this.pathOf(node, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) return;
    this.unfinished.add(node);
    if (stats.isDirectory()) await rm(path, { recursive: true });
    else await unlink(path);
    if (stats.isFile()) return;
    node.children?.delete(name);
    this.#epoch++;
  }

  /** Whether the node is still part of the tree, looked at from the root down in the current epoch. */
  has(node: DirectoryNode): boolean {
    return !node.parent || (this.has(node.parent) && this.look(node.parent, node.name) === node);
  }

  #see(node: DirectoryNode, name: string): DirectoryNode {
    node.children ??= new Map();
    let child = node.children.get(name);
    if (!child) {
      child = createNode(node, name);
      node.children.set(name, child);
      this.unfinished.add(child);
    }
    child.seenIn = this.#epoch;
    return child;
  }
}

function createNode(parent: DirectoryNode | undefined, name: string): DirectoryNode {
  return {
    parent,
    name,
    children: undefined,
    metadata: DEFAULT_METADATA,
    seenIn: 0,
    layer: 0,
    madeNames: undefined,
  };
}
