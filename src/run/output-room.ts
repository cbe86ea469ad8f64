import type { Config } from "../config/config.ts";
import { maxEntriesOf, type OutputLimits } from "../files/select-outputs.ts";
import type { OutputRoom } from "../sandbox/output-watch.ts";

/** Directories below /output that are looked into. */
const MAX_OUTPUT_DEPTH = 64;

/** What a run may leave in /output, and what room it has there meanwhile. Pure. */
export function outputRoomOf(
  config: Pick<Config, "output_files_limit_bytes" | "output_files_limit_count">,
): OutputLimits & OutputRoom {
  const max_files = config.output_files_limit_count;
  return {
    max_bytes: config.output_files_limit_bytes,
    max_files,
    max_entries: maxEntriesOf(max_files),
    max_depth: MAX_OUTPUT_DEPTH,
  };
}
