import { errnoOf } from "../core/errors.ts";
import type { TmpfsOptions } from "../platform/mounts.ts";
import type { Platform } from "../platform/platform.ts";

/**
 * Mounts an empty tmpfs over a directory.
 * @returns false where the server may not mount
 * @throws what mount(2) gives otherwise
 */
export async function mountIfAllowed(
  path: string,
  options: TmpfsOptions,
  { mounts }: Pick<Platform, "mounts">,
): Promise<boolean> {
  try {
    await mounts.tmpfs(path, options);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EPERM" || errnoOf(error) === "EACCES") return false;
    throw error;
  }
}
