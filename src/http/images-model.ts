import Type, { type Static } from "typebox";
import { nullable, optional } from "../core/nullable.ts";
import {
  downloadTotals,
  type LayerPhase,
  type PullPhase,
  type PullStatus,
} from "../image/progress/pull-status.ts";
import type { ImageSummary } from "../image/types.ts";

const time = (description: string) => Type.String({ format: "date-time", description });

const ImageReference = Type.Object({
  reference: Type.String({ description: "The normalised name." }),
  imported: Type.Boolean({ description: "No registry is asked for it unless a pull is asked for." }),
  checked_at: time("When the registry last said that the name stands for this image."),
  unreachable: nullable(Type.String(), "Why the registry could not be asked when it was last tried."),
});

/** An image on the wire. */
export const ImageResponse = Type.Object({
  digest: Type.String({ description: "Of the manifest." }),
  references: Type.Array(ImageReference),
  size_bytes: Type.Integer({ description: "On disk." }),
  layers: Type.Integer(),
  created: nullable(Type.String({ format: "date-time" }), "When the image says it was made."),
  pulled_at: time("When it came here."),
  last_used_at: nullable(Type.String({ format: "date-time" }), "When a run last began or ended with it."),
  uses: Type.Integer({ description: "Runs and pulls that got it." }),
  in_use: Type.Integer({ description: "Runs that have it now." }),
});

const LayerProgress = Type.Object({
  digest: Type.String(),
  phase: Type.Enum(["waiting", "downloading", "downloaded", "unpacking", "done"] satisfies LayerPhase[]),
  downloaded_bytes: Type.Integer(),
  size_bytes: Type.Integer(),
});

/** A pull under way on the wire. */
export const PullResponse = Type.Object({
  reference: Type.String(),
  phase: Type.Enum(
    ["resolving", "downloading", "unpacking", "building_rootfs", "ready", "failed"] satisfies PullPhase[],
    { description: "Layers are unpacked while later ones still come." },
  ),
  started_at: time("When it began."),
  digest: nullable(Type.String(), "Of the manifest; null while resolving."),
  downloaded_bytes: Type.Integer({ description: "Of all layers." }),
  size_bytes: Type.Integer({ description: "Of all layers, as they come." }),
  layers: Type.Array(LayerProgress, { description: "Lowest first." }),
});

/** The answer of `GET /images`. */
export const ImagesResponse = Type.Object({
  images: Type.Array(ImageResponse, { description: "In the order in which they came." }),
  pulls: Type.Array(PullResponse, { description: "Pulls and imports under way." }),
  size_bytes: Type.Integer({ description: "Of all images." }),
  quota_bytes: nullable(Type.Integer(), "The most that they may take (images_quota_bytes); null: no limit."),
});

/** The body of `POST /images/pull`. */
export const PullBody = Type.Object(
  { image: Type.String({ minLength: 1, description: "OCI image reference." }) },
  { additionalProperties: false, examples: [{ image: "python:3.12-slim" }] },
);

/** The body of `POST /images/prune`. */
export const PruneBody = Type.Object(
  {
    unused_for_secs: optional(
      Type.Number({ minimum: 0 }),
      "Keep images that were pulled or used within this time. Default 0.",
    ),
    all: optional(Type.Boolean(), "Also imported images and those of images_prepull. Default false."),
  },
  { additionalProperties: false, examples: [{ unused_for_secs: 86_400 }] },
);

/** The answer of `POST /images/prune`. */
export const PruneResponse = Type.Object({
  removed: Type.Array(
    Type.Object({
      digest: Type.String(),
      references: Type.Array(Type.String()),
      size_bytes: Type.Integer(),
    }),
  ),
  freed_bytes: Type.Integer(),
});

/** From the domain to the wire. */
export function toImageResponse(image: ImageSummary): Static<typeof ImageResponse> {
  return {
    digest: image.digest,
    references: image.references.map(({ reference, imported, checked_at_ms, unreachable }) => ({
      reference,
      imported,
      checked_at: iso(checked_at_ms),
      unreachable: unreachable ?? null,
    })),
    size_bytes: image.size_bytes,
    layers: image.layers,
    created: isoOrNull(image.created_at_ms),
    pulled_at: iso(image.pulled_at_ms),
    last_used_at: isoOrNull(image.last_used_at_ms),
    uses: image.uses,
    in_use: image.in_use,
  };
}

/** From the domain to the wire. */
export function toPullResponse(pull: PullStatus): Static<typeof PullResponse> {
  return {
    reference: pull.reference,
    phase: pull.phase,
    started_at: iso(pull.started_at_ms),
    digest: pull.digest ?? null,
    ...downloadTotals(pull),
    layers: [...pull.layers],
  };
}

/** From the domain to the wire. */
export function toPruneResponse(removed: readonly ImageSummary[]): Static<typeof PruneResponse> {
  return {
    removed: removed.map(({ digest, references, size_bytes }) => ({
      digest,
      references: references.map(({ reference }) => reference),
      size_bytes,
    })),
    freed_bytes: removed.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
  };
}

function iso(time_ms: number): string {
  return new Date(time_ms).toISOString();
}

function isoOrNull(time_ms: number | undefined): string | null {
  return time_ms === undefined ? null : iso(time_ms);
}
