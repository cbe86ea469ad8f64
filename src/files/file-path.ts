import { BoxerError } from "../core/errors.ts";

/** The store's directory of captured outputs, `output/{exec_id}/…`; nothing can be uploaded there. */
export const OUTPUT_DIRECTORY = "output";

/** NAME_MAX of limits.h. */
const MAX_NAME_BYTES = 255;
/** PATH_MAX of limits.h, less the slash before and the NUL after the path where the guest sees it. */
const MAX_PATH_BYTES = 4094;
const MAX_QUOTED_LENGTH = 100;

/**
 * Checks a path of the file store as a client gave it, and brings it to its one spelling: `./a//b` is `a/b`. Whatever
 * Linux takes for a name is taken here too, line breaks and backslashes included; nothing is percent-decoded. Pure.
 * @param text the path, decoded from its transport once
 * @param field the request field it came from, for errors
 * @throws BoxerError `invalid_path`
 */
export function normalisePath(text: string, field = "path"): string {
  const refuse = (reason: string): never => {
    throw new BoxerError("invalid_path", `Cannot use ${field} ${quoted(text)}: ${reason}`, { field });
  };
  if (text === "") refuse("it is empty");
  if (text.includes("\0")) refuse("it contains a NUL character");
  if (!text.isWellFormed()) refuse("it is not valid Unicode");
  if (text.startsWith("/")) refuse("it is absolute, and must be relative");
  const names = text.split("/");
  if (names.includes("..")) refuse('it contains ".."');
  const last = names.at(-1);
  if (last === "" || last === ".") refuse("it names a directory");
  const kept = names.filter((name) => name !== "" && name !== ".");
  if (kept.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    refuse(`a name in it is longer than ${MAX_NAME_BYTES} bytes`);
  }
  const path = kept.join("/");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) refuse(`it is longer than ${MAX_PATH_BYTES} bytes`);
  return path;
}

/**
 * {@link normalisePath} for a file that is to be written: the captured outputs are no place for it. Pure.
 * @throws BoxerError `invalid_path`
 */
export function normaliseUploadPath(text: string, field = "path"): string {
  const path = normalisePath(text, field);
  if (path === OUTPUT_DIRECTORY || path.startsWith(`${OUTPUT_DIRECTORY}/`)) {
    const reason = `${OUTPUT_DIRECTORY}/ is reserved for captured outputs`;
    throw new BoxerError("invalid_path", `Cannot use ${field} ${quoted(text)}: ${reason}`, { field });
  }
  return path;
}

/**
 * Checks a prefix of paths as a client gave it, and brings it to its one spelling: `./a//b/` is `a/b`. It is matched by
 * whole names: `a/b` stands for the file of that path and for all below it, and not for `a/bc`. Pure.
 * @returns empty for all files
 * @throws BoxerError `invalid_path`
 */
export function normalisePrefix(text: string, field = "prefix"): string {
  if (text.startsWith("/")) return normalisePath(text, field);
  const names = text.split("/");
  while (names.at(-1) === "" || names.at(-1) === ".") names.pop();
  return names.every((name) => name === "" || name === ".") ? "" : normalisePath(names.join("/"), field);
}

/** A client's path as it may stand in a message: on one line and of bounded length. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text);
}
