import { linkSync, symlinkSync } from "node:fs";
import { errnoOf } from "../../core/errors.ts";
import { applyMetadataToLink } from "./apply-metadata.ts";
import type { DirectoryNode, DirectoryTree } from "./directory-tree.ts";
import { FileWriter } from "./file-writer.ts";
import type { LayerEntry } from "./layer-entry.ts";
import { removeLower, removeLowerContent } from "./remove-lower.ts";
import { resolveInRoot, resolveOrMakeInRoot, UnresolvablePath } from "./resolve-in-root.ts";
import type { TarToken } from "./tar-tokenizer.ts";
import { invalidEntry, unpackError } from "./unpack-error.ts";
import type { UnpackTarget } from "./unpack-target.ts";
import { meaningOfName } from "./whiteout.ts";

type PlacedEntry = Exclude<LayerEntry, { kind: "special" }>;

/**
 * Applies one layer to the root file system, token by token: a tar archive with whiteouts (OCI image specification,
 * layer.md). Each entry takes the place of what was there, except that a directory keeps its content and the root stays
 * what it is. Extended attributes are left out, and counted: gVisor shows a guest none of those of an EROFS file
 * (getxattr(2) is EOPNOTSUPP there), and of those that images have, `security.capability` gives nothing to a guest with
 * no_new_privs.
 */
export class LayerWriter {
  readonly #target: UnpackTarget;
  readonly #tree: DirectoryTree;
  /** The file whose content comes next. Content of anything else, such as a whiteout, is dropped. */
  #file: FileWriter | undefined;
  #name = "";

  constructor(target: UnpackTarget) {
    this.#target = target;
    this.#tree = target.tree;
    this.#tree.beginLayer();
  }

  /**
   * @returns undefined when it is done, or what to wait for before the next token
   * @throws BoxerError `image_invalid`, `disk_full`, `internal`; as a rejection as well
   */
  apply(token: TarToken): Promise<void> | undefined {
    try {
      const pending = this.#apply(token);
      return pending?.catch((error) => {
        throw this.#explain(error);
      });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Closes what is still open, after a failure. */
  close(): void {
    this.#file?.abandon();
    this.#file = undefined;
  }

  #apply(token: TarToken): Promise<void> | undefined {
    if (token.type === "entry") return this.#begin(token.entry);
    const file = this.#file;
    if (token.type === "data") return file?.write(token.bytes);
    this.#file = undefined;
    file?.finish();
    return undefined;
  }

  #begin(entry: LayerEntry): Promise<void> | undefined {
    this.#name = entry.name;
    this.#target.countEntry();
    this.#target.countXattrs(entry.xattrs ?? 0);
    if (entry.kind === "file") this.#target.checkSize(entry.size_bytes);
    const meaning = meaningOfName(entry.names, entry.name);
    if (meaning.kind === "plain") return this.#place(entry);
    if (meaning.kind === "ignored") return undefined;
    const parent = resolveInRoot(this.#tree, entry.names.slice(0, -1));
    if (!parent) return undefined;
    if (meaning.kind === "opaque") return removeLowerContent(this.#tree, parent);
    return removeLower(this.#tree, parent, meaning.name);
  }

  #place(entry: LayerEntry): Promise<void> | undefined {
    const name = entry.names.at(-1);
    if (name === undefined) {
      if (entry.kind !== "directory") throw invalidEntry(entry.name, "the root is a directory");
      this.#tree.setMetadata(this.#tree.root, entry.metadata);
      return undefined;
    }
    const parent = this.#parentOf(entry);
    this.#tree.markMade(parent, name);
    if (entry.kind === "special") {
      this.#target.countSkipped();
      return this.#tree.remove(parent, name);
    }
    try {
      this.#make(entry, parent, name);
      return undefined;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    return this.#tree.remove(parent, name).then(() => this.#make(entry, parent, name));
  }

  #parentOf(entry: LayerEntry): DirectoryNode {
    return resolveOrMakeInRoot(this.#tree, entry.names.slice(0, -1), (parent, name) => {
      this.#target.countEntry();
      this.#tree.markMade(parent, name);
      return this.#tree.makeDirectory(parent, name);
    });
  }

  /** @throws EEXIST when something is in the way */
  #make(entry: PlacedEntry, parent: DirectoryNode, name: string): void {
    const path = this.#tree.pathOf(parent, name);
    switch (entry.kind) {
      case "file":
        this.#file = new FileWriter(path, entry.size_bytes, entry.metadata);
        break;
      case "directory":
        this.#makeDirectory(entry, parent, name);
        break;
      case "symlink":
        symlinkSync(entry.target, path);
        applyMetadataToLink(path, entry.metadata);
        break;
      case "hardlink":
        this.#makeHardLink(entry, path);
    }
  }

  #makeDirectory(entry: PlacedEntry, parent: DirectoryNode, name: string): void {
    const found = this.#tree.look(parent, name);
    const node = typeof found === "object" ? found : this.#tree.makeDirectory(parent, name);
    this.#tree.setMetadata(node, entry.metadata);
  }

  #makeHardLink(entry: PlacedEntry & { kind: "hardlink" }, path: string): void {
    const parent = resolveInRoot(this.#tree, entry.targetNames.slice(0, -1));
    const name = entry.targetNames.at(-1) ?? "";
    const found = parent ? this.#tree.look(parent, name) : "nothing";
    if (!parent || found === "nothing") throw invalidEntry(entry.name, "a hard link to nothing");
    if (typeof found === "object") throw invalidEntry(entry.name, "a hard link to a directory");
    const target = this.#tree.pathOf(parent, name);
    // link(2) does not follow a link as last component.
    if (target !== path) linkSync(target, path);
  }

  #explain(error: unknown): unknown {
    if (error instanceof UnresolvablePath) return invalidEntry(this.#name, error.message, error);
    return unpackError(error, this.#name);
  }
}
