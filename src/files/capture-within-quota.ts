import { BoxerError } from "../core/errors.ts";
import type { Admission } from "./admission.ts";
import { type CapturedOutputs, type CaptureParts, captureOutputs } from "./capture-outputs.ts";
import { normalisePath, OUTPUT_DIRECTORY } from "./file-path.ts";
import type { OutputLimits } from "./select-outputs.ts";

const MAX_SKIPPED = 100;
const REASON = "there is no room within files_quota_bytes";

/** A dead run's outputs. */
export interface OutputSource {
  /** The directory on the host; may be gone. */
  readonly source: string;
  readonly execId: string;
  readonly limits: OutputLimits;
  /** False only says what is there. */
  readonly keep?: boolean | undefined;
}

/**
 * {@link captureOutputs} into a store with a quota: what would pass it is not kept, none of it, and told as skipped. How
 * large it is, is known when it is gathered; only then it is let in.
 * @throws as {@link captureOutputs}
 */
export async function captureWithinQuota(
  parts: Omit<CaptureParts, "publish">,
  admission: Admission,
  { source, execId, limits, keep }: OutputSource,
): Promise<CapturedOutputs> {
  const path = normalisePath(`${OUTPUT_DIRECTORY}/${execId}`);
  let hasRoom = true;
  const publish = async (tree: string, _path: string, size_bytes: number) => {
    hasRoom = await isAdmitted(admission, tree, path, size_bytes);
  };
  const captured = await captureOutputs({ ...parts, publish }, source, execId, limits, keep);
  return hasRoom ? captured : refused(captured, path);
}

async function isAdmitted(
  admission: Admission,
  tree: string,
  path: string,
  size_bytes: number,
): Promise<boolean> {
  try {
    await admission.placeDirectory(tree, path, size_bytes);
    return true;
  } catch (error) {
    if (error instanceof BoxerError && error.code === "files_quota_exceeded") return false;
    throw error;
  }
}

function refused(captured: CapturedOutputs, path: string): CapturedOutputs {
  const names = captured.outputs.map((file) => file.path.slice(path.length + 1));
  const skipped = [...captured.skipped, ...names.map((name) => ({ path: name, reason: REASON }))];
  return { ...captured, outputs: [], skipped: skipped.slice(0, MAX_SKIPPED) };
}
