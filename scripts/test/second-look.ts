import type { TestedFile } from "./stages.ts";

const MOST_FILES = 3;

/** What the test files come to after those that failed were looked at again. */
export interface SecondLook {
  /** Those given, in their order; one that passed the second time as it was then. */
  files: TestedFile[];
  /** One line for each file that failed at first and passed the second time. */
  unsteady: string[];
}

/**
 * Runs the files that failed once more, one after the other, to be called when nothing else runs. One that fails again
 * stands as it failed first. Where more than three failed, that is no accident, and none is tried again.
 */
export async function secondLook(files: readonly TestedFile[], signal: AbortSignal): Promise<SecondLook> {
  const failed = files.filter((file) => file.failed > 0);
  const passedNow = new Map<TestedFile, TestedFile>();
  if (failed.length > 0 && failed.length <= MOST_FILES) {
    // The noise of a shared machine costs a second look; a real fault fails twice.
    console.log("\n== second look at what failed, alone");
    for (const file of failed) {
      if (signal.aborted) break;
      const second = await file.again(signal);
      if (second.failed === 0) passedNow.set(file, second);
    }
  }
  return {
    files: files.map((file) => passedNow.get(file) ?? file),
    unsteady: [...passedNow.keys()].map(
      ({ name, failed }) => `${name}: ${failed} failed at first, passed alone`,
    ),
  };
}
