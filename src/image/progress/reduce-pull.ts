import type { LayerPhase, LayerStatus, PullEvent, PullPhase, PullStatus } from "./pull-status.ts";

/** A pull that has just begun. Pure. */
export function beginPull(reference: string, started_at_ms: number): PullStatus {
  return { reference, phase: "resolving", started_at_ms, digest: undefined, layers: [], reason: undefined };
}

/**
 * The state of a pull after an event. Pure.
 * @returns the very same object where the event changes nothing
 */
export function reducePull(status: PullStatus, event: PullEvent): PullStatus {
  switch (event.type) {
    case "resolved": {
      const layers = event.layers.map(({ digest, size_bytes }) => waiting({ digest, size_bytes }));
      return { ...status, digest: event.digest, layers, phase: phaseOf(layers) };
    }
    case "building":
      return withLayers(status, waiting);
    case "downloading":
      return withLayers(status, (layer) =>
        layer.digest === event.blob && isOnItsWay(layer) ? received(layer, event.downloaded_bytes) : layer,
      );
    case "downloaded":
      return withLayers(status, (layer) =>
        layer.digest === event.blob && isOnItsWay(layer) ? reached(layer, "downloaded") : layer,
      );
    case "unpacking":
    case "unpacked": {
      const phase = event.type === "unpacking" ? "unpacking" : "done";
      return withLayers(status, (layer, index) => (index === event.layer ? reached(layer, phase) : layer));
    }
    case "building_rootfs":
      return { ...status, phase: "building_rootfs" };
    case "ready":
      return { ...status, phase: "ready", layers: status.layers.map((layer) => reached(layer, "done")) };
    case "failed":
      return { ...status, phase: "failed", reason: event.reason };
  }
}

function withLayers(
  status: PullStatus,
  change: (layer: LayerStatus, index: number) => LayerStatus,
): PullStatus {
  const layers = status.layers.map(change);
  if (layers.every((layer, index) => layer === status.layers[index])) return status;
  return { ...status, layers, phase: phaseOf(layers) };
}

function phaseOf(layers: readonly LayerStatus[]): PullPhase {
  return layers.some(isOnItsWay) ? "downloading" : "unpacking";
}

function isOnItsWay({ phase }: LayerStatus): boolean {
  return phase === "waiting" || phase === "downloading";
}

function waiting({ digest, size_bytes }: Pick<LayerStatus, "digest" | "size_bytes">): LayerStatus {
  return { digest, phase: "waiting", downloaded_bytes: 0, size_bytes };
}

/** What the registry sends is not more than the manifest says, but it is found out only after the event. */
function received(layer: LayerStatus, bytes: number): LayerStatus {
  return { ...layer, phase: "downloading", downloaded_bytes: Math.min(bytes, layer.size_bytes) };
}

function reached(layer: LayerStatus, phase: LayerPhase): LayerStatus {
  return { ...layer, phase, downloaded_bytes: layer.size_bytes };
}
