import { BoxerError } from "../core/errors.ts";

/** Places of the guest that Boxer itself mounts; no input may lie on or below them. */
const RESERVED = ["/proc", "/dev", "/sys", "/tmp", "/output"];

/**
 * Checks where input files would be mounted: no duplicates, none above another, none on or below a reserved place.
 * Pure.
 * @param destinations absolute, normalised guest paths, in the order of the request's `files`
 * @param fieldOf names the request field of a destination in errors
 * @throws BoxerError `invalid_path`
 */
export function checkMountDestinations(
  destinations: readonly string[],
  fieldOf: (index: number) => string,
): void {
  const taken = new Set(destinations);
  const seen = new Set<string>();
  for (const [index, destination] of destinations.entries()) {
    const refuse = (reason: string): never => {
      const field = fieldOf(index);
      throw new BoxerError("invalid_path", `${field}: cannot mount at ${destination}: ${reason}`, { field });
    };
    if (seen.has(destination)) refuse("the same path is given twice");
    seen.add(destination);
    if (destination === "/") refuse("it is the root");
    const reserved = RESERVED.find((place) => destination === place || destination.startsWith(`${place}/`));
    if (reserved) refuse(`${reserved} is reserved`);
    const parent = ancestors(destination).find((ancestor) => taken.has(ancestor));
    if (parent) refuse(`${parent} is itself a file`);
  }
}

function ancestors(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
