import { BoxerError } from "../../core/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import { COMMAND_ENV, readBeginning, runCommand } from "../../platform/run-command.ts";

/**
 * Waits until a directory is on the disk with all that is in it (syncfs(2)), so that it may take a lasting name.
 * @returns bytes that it takes there; what has several names counts once
 * @throws BoxerError `internal`
 */
export async function settleTree(root: string, platform: Pick<Platform, "spawn">): Promise<number> {
  const synced = await runCommand(platform, ["sync", "-f", root]);
  if (!synced.succeeded) throw failed("write", synced.stderr);
  const child = platform.spawn(["du", "-sk", root], { env: COMMAND_ENV });
  const [said, complaint] = await Promise.all([readBeginning(child.stdout), readBeginning(child.stderr)]);
  const { code } = await child.exited;
  const kib = /^\d+/.exec(said)?.[0];
  if (code !== 0 || kib === undefined) throw failed("measure", complaint);
  return 1024 * Number(kib);
}

function failed(what: string, complaint: string): BoxerError {
  return new BoxerError("internal", `Cannot ${what} the unpacked image: ${complaint}`);
}
