import type { Digest } from "../digest.ts";

/** How far a layer is: its blob waits for a place, comes, is here; is unpacked, is part of the root file system. */
export type LayerPhase = "waiting" | "downloading" | "downloaded" | "unpacking" | "done";

/** One layer of an image on its way. */
export interface LayerStatus {
  readonly digest: Digest;
  readonly phase: LayerPhase;
  /** Bytes of the blob that are here. */
  readonly downloaded_bytes: number;
  /** Bytes of the whole blob. */
  readonly size_bytes: number;
}

/**
 * How far an image is. Layers are unpacked while later ones still come: `downloading` lasts until all are here,
 * `unpacking` from then on.
 */
export type PullPhase = "resolving" | "downloading" | "unpacking" | "building_rootfs" | "ready" | "failed";

/** One pull or import under way. Never changes; the next state is another object. */
export interface PullStatus {
  /** The normalised reference that is pulled. */
  readonly reference: string;
  readonly phase: PullPhase;
  readonly started_at_ms: number;
  /** Of the manifest; undefined while resolving. */
  readonly digest: Digest | undefined;
  /** Lowest first; empty while resolving. */
  readonly layers: readonly LayerStatus[];
  /** Why it failed, once it has. */
  readonly reason: string | undefined;
}

/** What happens on the way of an image into the store. */
export type PullEvent =
  | {
      readonly type: "resolved";
      readonly digest: Digest;
      readonly layers: readonly { readonly digest: Digest; readonly size_bytes: number }[];
    }
  /** The image is built from the beginning, perhaps once more after others have failed. */
  | { readonly type: "building" }
  /** `downloaded_bytes` of a blob are here; 0 when its turn has come. */
  | { readonly type: "downloading"; readonly blob: Digest; readonly downloaded_bytes: number }
  | { readonly type: "downloaded"; readonly blob: Digest }
  /** `layer` is the place of the layer in the manifest, from 0. */
  | { readonly type: "unpacking"; readonly layer: number }
  | { readonly type: "unpacked"; readonly layer: number }
  | { readonly type: "building_rootfs" }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly reason: string };

/** Bytes of the layers that are here, and of all; a layer that comes twice counts once. Pure. */
export function downloadTotals(status: PullStatus): { downloaded_bytes: number; size_bytes: number } {
  const blobs = new Map(status.layers.map((layer) => [layer.digest, layer]));
  let [downloaded_bytes, size_bytes] = [0, 0];
  for (const blob of blobs.values()) {
    downloaded_bytes += blob.downloaded_bytes;
    size_bytes += blob.size_bytes;
  }
  return { downloaded_bytes, size_bytes };
}
