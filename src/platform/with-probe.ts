import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** Begins the name of whatever is made in the home for a moment, to see whether something works. */
export const PROBE_PREFIX = ".probe-";

/** Gives a directory of its own in the home to a trial, and removes it again. @throws what mkdtemp(3) and `use` give */
export async function withProbe<T>(home: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(home, PROBE_PREFIX));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
