import { invalidEntry } from "./unpack-error.ts";

const PREFIX = ".wh.";
/** aufs kept its own bookkeeping under this prefix (`.wh..wh.plnk`, `.wh..wh.aufs`); it is no part of the image. */
const RESERVED_PREFIX = ".wh..wh.";
const OPAQUE = ".wh..wh..opq";

/** What the name of an entry asks for. */
export type NameMeaning =
  | { readonly kind: "plain" }
  /** Bookkeeping of aufs: nothing is to be done. */
  | { readonly kind: "ignored" }
  /** Everything that lower layers left in the parent directory goes. */
  | { readonly kind: "opaque" }
  /** What lower layers left under `name` in the parent directory goes. */
  | { readonly kind: "whiteout"; readonly name: string };

/**
 * Reads the whiteout markers of the OCI image specification (layer.md, "Whiteouts").
 * @param names path of the entry, component by component
 * @param entry name for messages
 * @throws BoxerError `image_invalid` for a marker that hides nothing, or one used as a directory
 */
export function meaningOfName(names: readonly string[], entry: string): NameMeaning {
  const last = names.at(-1) ?? "";
  const above = names.slice(0, -1).find((name) => name.startsWith(PREFIX));
  if (above?.startsWith(RESERVED_PREFIX)) return { kind: "ignored" };
  if (above !== undefined) throw invalidEntry(entry, "it is within a whiteout");
  if (last === OPAQUE) return { kind: "opaque" };
  if (last.startsWith(RESERVED_PREFIX)) return { kind: "ignored" };
  if (!last.startsWith(PREFIX)) return { kind: "plain" };
  const name = last.slice(PREFIX.length);
  if (name === "" || name === "." || name === "..") throw invalidEntry(entry, "a whiteout of no file");
  return { kind: "whiteout", name };
}
