import { BoxerError } from "../../core/errors.ts";
import type { ManifestDocument } from "../image-source.ts";
import { printable } from "../printable.ts";
import { parseReference, type Reference } from "../reference.ts";

/** One image that an archive holds. */
export interface ArchivedImage {
  /** What the archive calls it: references, or tags alone. */
  readonly names: readonly string[];
  /**
   * Its manifest, or an index.
   * @throws BoxerError `image_invalid` with the bare reason; system errors
   */
  readRoot(): Promise<ManifestDocument>;
}

/**
 * Picks the image that is meant, and the name it gets: by the name asked for, or where none is asked for, by the one
 * name that the archive has. The only image of an archive may be given any name. Pure.
 * @throws BoxerError `invalid_request` with the bare reason, field `reference`, when that does not decide it
 */
export function chooseImage(
  images: readonly ArchivedImage[],
  wanted: Reference | undefined,
): { image: ArchivedImage; reference: Reference } {
  if (!wanted) return chooseByOwnName(images);
  const named = images.filter(({ names }) => names.some((name) => isNameOf(name, wanted)));
  const [image, ...others] = named.length > 0 ? named : images;
  if (image && others.length === 0) return { image, reference: wanted };
  throw undecided(`it holds ${images.length} images, ${listOf(images)}; reference must say which`);
}

function chooseByOwnName(images: readonly ArchivedImage[]): { image: ArchivedImage; reference: Reference } {
  const found = new Map<string, { image: ArchivedImage; reference: Reference }>();
  for (const image of images) {
    for (const reference of image.names.flatMap(toReference)) {
      found.set(reference.text, { image, reference });
    }
  }
  const [only, ...others] = found.values();
  if (only && others.length === 0 && images.length === 1) return only;
  throw undecided(
    only
      ? `it holds ${listOf(images)}; reference must say which`
      : "it does not say what the image is called; reference must",
  );
}

/** Layouts name images in full or by the tag alone. */
function isNameOf(name: string, wanted: Reference): boolean {
  return name === wanted.tag || toReference(name).some(({ text }) => text === wanted.text);
}

/** A tag alone would read as a repository of Docker Hub. What is no reference is no name. */
function toReference(name: string): Reference[] {
  if (!/[/:]/.test(name)) return [];
  try {
    return [parseReference(name)];
  } catch {
    return [];
  }
}

function listOf(images: readonly ArchivedImage[]): string {
  return printable(images.map(({ names }) => names.join(" = ") || "one without a name").join(", "));
}

function undecided(reason: string): BoxerError {
  return new BoxerError("invalid_request", reason, { field: "reference" });
}
