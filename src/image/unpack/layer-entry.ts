import type { ReadEntry } from "tar";
import { invalidEntry } from "./unpack-error.ts";

/** What all kinds of entries keep of their owner, permissions and time. */
export interface EntryMetadata {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 with a fraction, 0 to {@link MAX_MTIME_SECS}. */
  readonly mtime_secs: number;
}

interface Named {
  /** Path as the layer says it, for messages. */
  readonly name: string;
  /** The path, component by component, without empty ones and `.`; none for the root itself. `..` may occur. */
  readonly names: readonly string[];
  readonly metadata: EntryMetadata;
  /** How many extended attributes it has; absent where it has none. */
  readonly xattrs?: number;
}

/** One entry of a layer, checked for itself. */
export type LayerEntry =
  | (Named & { readonly kind: "file"; readonly size_bytes: number })
  | (Named & { readonly kind: "directory" })
  /** `target` is kept verbatim. */
  | (Named & { readonly kind: "symlink"; readonly target: string })
  /** `targetNames` is a path from the root as {@link Named.names}, without `..` at its end. */
  | (Named & { readonly kind: "hardlink"; readonly targetNames: readonly string[] })
  /** A device node or a named pipe, which images get none of. */
  | (Named & { readonly kind: "special" });

/** 2³²−1 is no owner: chown(2) takes it for "unchanged". */
const MAX_ID = 0xffff_fffe;
/** The newest time of a file; see `erofs.ts`. */
export const MAX_MTIME_SECS = 0xffff_ffff;
/** As star, GNU tar and Go write them, and as libarchive does. */
const XATTR = /^(?:SCHILY|LIBARCHIVE)\.xattr\./;
const REPLACEMENT = "\ufffd";

/**
 * Checks what the `tar` package read.
 * @param entry before its first byte of content
 * @param records the pax records that apply to it; they win over what the parser made of them
 * @throws BoxerError `image_invalid` naming the entry: a name with NUL or not in UTF-8, a sparse file, an impossible
 *   size, owner or time, a kind of entry that is not known
 */
export function toLayerEntry(entry: ReadEntry, records: ReadonlyMap<string, string>): LayerEntry {
  const name = records.get("path") ?? entry.path;
  checkText(name, name, "name");
  for (const keyword of records.keys()) {
    if (keyword.startsWith("GNU.sparse.")) throw invalidEntry(name, "sparse files are not supported");
  }
  const xattrs = [...records.keys()].filter((keyword) => XATTR.test(keyword)).length;
  const common = {
    name,
    names: splitPath(name, name),
    metadata: readMetadata(entry, records, name),
    ...(xattrs > 0 ? { xattrs } : {}),
  };
  if (isFile(entry)) return { ...common, kind: "file", size_bytes: sizeOfFile(entry, records, name) };
  if (entry.remain > 0) throw invalidEntry(name, `content in an entry of type ${entry.type}`);
  switch (entry.type) {
    case "Directory":
      return { ...common, kind: "directory" };
    case "SymbolicLink":
      return { ...common, kind: "symlink", target: linkTarget(entry, records, name) };
    case "Link":
      return { ...common, kind: "hardlink", targetNames: splitPath(linkTarget(entry, records, name), name) };
    case "CharacterDevice":
    case "BlockDevice":
    case "FIFO":
      return { ...common, kind: "special" };
    default:
      throw invalidEntry(name, `entries of type ${entry.type} are not supported`);
  }
}

function isFile(entry: ReadEntry): boolean {
  return entry.type === "File" || entry.type === "OldFile" || entry.type === "ContiguousFile";
}

/** The parser takes a size it cannot read, or a negative one, for none; and a record it misses is not in its size. */
function sizeOfFile(entry: ReadEntry, records: ReadonlyMap<string, string>, name: string): number {
  const size = entry.header.size;
  const record = records.get("size");
  if (size === undefined || (record !== undefined && Number(record) !== size)) {
    throw invalidEntry(name, "its size is not a number");
  }
  return size;
}

function linkTarget(entry: ReadEntry, records: ReadonlyMap<string, string>, name: string): string {
  const target = records.get("linkpath") ?? entry.linkpath ?? "";
  checkText(target, name, "link target");
  return target;
}

/** A path that ends in `..` names no entry of a directory. */
function splitPath(path: string, name: string): string[] {
  const names = path.split("/").filter((part) => part !== "" && part !== ".");
  if (names.at(-1) === "..") throw invalidEntry(name, 'a path that ends in ".."');
  return names;
}

/** The parser decodes names as UTF-8, with U+FFFD for anything else: the bytes are lost by then. */
function checkText(text: string, name: string, what: string): void {
  if (text.includes("\0")) throw invalidEntry(name, `its ${what} has a NUL`);
  if (text.includes(REPLACEMENT)) throw invalidEntry(name, `its ${what} is not UTF-8`);
}

function readMetadata(entry: ReadEntry, records: ReadonlyMap<string, string>, name: string): EntryMetadata {
  const record = records.get("mtime");
  const mtime = record === undefined ? (entry.mtime?.getTime() ?? 0) / 1000 : Number(record);
  if (Number.isNaN(mtime)) throw invalidEntry(name, "its time is not a number");
  return {
    mode: (entry.mode ?? 0) & 0o7777,
    uid: checkId(entry.uid, name),
    gid: checkId(entry.gid, name),
    mtime_secs: Math.min(Math.max(mtime, 0), MAX_MTIME_SECS),
  };
}

function checkId(id: number | undefined, name: string): number {
  const value = id ?? 0;
  if (!Number.isInteger(value) || value < 0 || value > MAX_ID) {
    throw invalidEntry(name, `its owner ${value} is not between 0 and ${MAX_ID}`);
  }
  return value;
}
