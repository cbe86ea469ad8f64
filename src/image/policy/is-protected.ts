import { parseReference } from "../reference.ts";
import type { ImageSummary } from "../types.ts";

/** Tells the images that are to stay unless somebody names them. */
export type IsProtected = (image: ImageSummary) => boolean;

/**
 * Images that were imported, since no pull brings them back, and those that the operator wants here from the start.
 * @param prepull references as configured; those that cannot be parsed protect nothing
 */
export function protectionOf(prepull: readonly string[]): IsProtected {
  const wanted = new Set(prepull.map(normalised));
  return (image) => image.references.some(({ reference, imported }) => imported || wanted.has(reference));
}

function normalised(text: string): string | undefined {
  try {
    return parseReference(text).text;
  } catch {
    return undefined;
  }
}
