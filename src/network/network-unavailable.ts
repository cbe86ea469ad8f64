import { BoxerError } from "../core/errors.ts";

/** What a run is told that cannot have a network, and why. Pure. */
export function networkUnavailable(reason: string): BoxerError {
  const field = "network";
  return new BoxerError("network_unavailable", `network sandbox is not available on this server: ${reason}`, {
    field,
  });
}
