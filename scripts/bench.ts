/**
 * `npm run bench`: what a run of Boxer costs, against raw `runsc run` of the very same bundle, in turn, in one process.
 * Tables on stdout, `--json FILE` for the same as JSON.
 *
 * `--only latency,throughput,ttfc,growth,timeouts,network,cost,dashboard` for some sections, `--runs N` of each thing
 * (default 40), `--quick` for a short pass, `--large` with an image of 2 GB. With `--images` instead: pulls of an image against
 * skopeo and umoci (`--runs`, default 5).
 */
import { addToSearchPath } from "./setup/add-to-search-path.ts";
import { loadSettings } from "./setup/load-settings.ts";
import { placesAt } from "./setup/places.ts";

// Before anything is loaded that looks for programs.
addToSearchPath(placesAt((await loadSettings([])).home).bin);
await import("./bench/main.ts");
