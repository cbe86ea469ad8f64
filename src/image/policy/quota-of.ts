import { statfs } from "node:fs/promises";

/** What images may take of the room that there is, so that uploads, outputs and the host's own have the rest. */
const SHARE = 0.8;

/**
 * The most bytes that images may take. Where the operator does not say, four fifths of the room that there is for them:
 * what they take now and what the file system has left.
 * @param stated null for no limit, undefined for the default
 * @param used_bytes taken by the images in `directory` now
 * @returns Infinity for no limit
 */
export async function quotaOf(
  stated: number | null | undefined,
  directory: string,
  used_bytes: number,
): Promise<number> {
  if (stated !== undefined) return stated ?? Number.POSITIVE_INFINITY;
  const { bavail, bsize } = await statfs(directory);
  return Math.floor(SHARE * (used_bytes + bavail * bsize));
}
