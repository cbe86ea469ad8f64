import { BoxerError } from "../core/errors.ts";

/** Present unless the image or the request says otherwise. HOME: the passwd entry of uid 65534 names no directory. */
const BASE = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp"];

/**
 * The environment of the guest: the base, under the image's ENV, under the request's. Of one name the last wins.
 * Entries of the image without `=` are left out, as the OCI image specification has no such thing. Pure.
 */
export function mergeEnvironment(image: readonly string[], request: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of [...BASE, ...image.filter(isEntry), ...request]) {
    byName.set(entry.slice(0, entry.indexOf("=")), entry);
  }
  return [...byName.values()];
}

/**
 * Refuses entries that are not `NAME=value`. A value may hold anything but NUL, newlines included; a name may hold
 * neither control characters nor be empty.
 * @throws BoxerError `invalid_request` naming the entry
 */
export function checkEnvironment(entries: readonly string[]): void {
  for (const [index, entry] of entries.entries()) {
    const field = `env[${index}]`;
    if (!isEntry(entry)) {
      throw new BoxerError("invalid_request", `${field} must be NAME=value with a name and without NUL`, {
        field,
      });
    }
  }
}

function isEntry(entry: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /^[^=\u0000-\u001f\u007f]+=[^\0]*$/.test(entry);
}
