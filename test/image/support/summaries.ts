import type { Digest } from "../../../src/image/digest.ts";
import type { ImageSummary } from "../../../src/image/types.ts";
import { sha256 } from "../../support/fake-registry.ts";

/** The digest of an image that stands for a letter. */
export function digestFor(letter: string): Digest {
  return sha256(letter);
}

/** An image of 10 bytes, pulled at 100 and never used, but for what is said otherwise. */
export function summary(
  letter: string,
  rest: Partial<ImageSummary> & { imported?: boolean } = {},
): ImageSummary {
  const { imported = false, ...facts } = rest;
  return {
    digest: digestFor(letter),
    size_bytes: 10,
    layers: 1,
    created_at_ms: undefined,
    pulled_at_ms: 100,
    last_used_at_ms: undefined,
    uses: 0,
    in_use: 0,
    references: [
      {
        reference: `docker.io/library/${letter}:latest`,
        imported,
        checked_at_ms: 100,
        unreachable: undefined,
      },
    ],
    ...facts,
  };
}
