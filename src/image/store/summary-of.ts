import type { ImageSummary } from "../types.ts";
import type { StoredImage } from "./image-index.ts";

/** An image as shown to an operator. Pure. */
export function summaryOf(image: StoredImage): ImageSummary {
  const { digest, size_bytes, layers, created_at_ms, pulled_at_ms, last_used_at_ms, uses } = image;
  return {
    digest,
    size_bytes,
    layers,
    created_at_ms,
    pulled_at_ms,
    last_used_at_ms,
    uses,
    in_use: image.leases,
    references: [...image.names.values()].map(({ reference, imported, checked_at_ms, unreachable }) => ({
      reference,
      imported,
      checked_at_ms,
      unreachable: unreachable?.reason,
    })),
  };
}
