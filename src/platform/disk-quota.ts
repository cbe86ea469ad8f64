import { statfs } from "node:fs/promises";

/**
 * The most bytes that a store may take. Where the operator does not say, a share of the room that there is for it: what
 * it takes now and what the file system has left.
 * @param stated null for no limit, undefined for the default
 * @param share of the room, between 0 and 1
 * @param used_bytes taken by the store in `directory` now
 * @returns Infinity for no limit
 */
export async function diskQuota(
  stated: number | null | undefined,
  share: number,
  directory: string,
  used_bytes: number,
): Promise<number> {
  if (stated !== undefined) return stated ?? Number.POSITIVE_INFINITY;
  const { bavail, bsize } = await statfs(directory);
  return Math.floor(share * (used_bytes + bavail * bsize));
}
