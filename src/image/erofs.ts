import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { BoxerError, errnoOf, messageOf } from "../core/errors.ts";
import type { Child, Platform } from "../platform/platform.ts";
import { MAX_MTIME_SECS } from "./unpack/layer-entry.ts";

export interface ErofsOptions {
  /** Path of mkfs.erofs, 1.5 or newer. */
  readonly mkfs_path: string;
  /** Aborting it kills mkfs.erofs. */
  readonly signal?: AbortSignal;
}

/** How much of what mkfs.erofs says last is kept for the error, in characters. */
const MAX_COMPLAINT = 2000;
/** As the C library and the runtimes say it. */
const NO_SPACE = /no space left on device|disk quota exceeded/i;
/** One for all, since the bytes of a file system shall depend on its content only. */
const UUID = "00000000-0000-0000-0000-000000000000";

/**
 * Packs a directory as an EROFS file system that gVisor can have as root: uncompressed and without inline data, with
 * owners, modes and times, without extended attributes (of the host, such as SELinux labels). The same tree gives the
 * same bytes. The file is there complete and on the disk, or not at all.
 *
 * @param root the directory, a path that starts with `/`
 * @param file path of the new file; one that is there already is replaced
 * @throws BoxerError `disk_full`, or `internal`, with what mkfs.erofs said as their cause; the signal's reason
 */
export async function buildErofs(
  platform: Platform,
  root: string,
  file: string,
  options: ErofsOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const partial = `${file}.partial-${randomUUID()}`;
  try {
    await runMkfs(platform, root, partial, options);
    await sync(partial);
    await rename(partial, file);
    await sync(dirname(file));
  } catch (error) {
    await rm(partial, { force: true });
    const errno = errnoOf(error);
    throw errno === undefined || error instanceof BoxerError ? error : packError(errno, error);
  }
}

async function runMkfs(platform: Platform, root: string, file: string, options: ErofsOptions): Promise<void> {
  const child = startMkfs(platform, root, file, options.mkfs_path);
  const kill = (): void => child.kill("SIGKILL");
  options.signal?.addEventListener("abort", kill, { once: true });
  try {
    const complaint = endOf(child.stderr, (text) => {
      // After this, mkfs.erofs 1.8 waits forever.
      if (NO_SPACE.test(text)) kill();
    });
    const [said, { code, signal }] = await Promise.all([complaint, child.exited, endOf(child.stdout)]);
    options.signal?.throwIfAborted();
    if (code !== 0) throw packError(`mkfs.erofs ended with ${code ?? signal}`, new Error(said.trim()));
  } finally {
    options.signal?.removeEventListener("abort", kill);
  }
}

function startMkfs(platform: Platform, root: string, file: string, mkfs_path: string): Child {
  const argv = [mkfs_path, "--quiet", "-Enoinline_data", "-x-1", "-U", UUID, file, root];
  // With -T every file would get that time. This one is the time of the file system itself, and the newest that a file
  // may have.
  const env = { LC_ALL: "C", PATH: process.env.PATH ?? "", SOURCE_DATE_EPOCH: String(MAX_MTIME_SECS) };
  try {
    return platform.spawn(argv, { env });
  } catch (error) {
    throw packError(`cannot start mkfs.erofs (${errnoOf(error)})`, error);
  }
}

/** The last of what a program writes; `onText` sees it as it comes. */
async function endOf(output: AsyncIterable<Uint8Array>, onText?: (end: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let end = "";
  for await (const chunk of output) {
    end = (end + decoder.decode(chunk, { stream: true })).slice(-MAX_COMPLAINT);
    onText?.(end);
  }
  return end;
}

/** Waits until a file, or the names in a directory, are on the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function packError(reason: string, cause: unknown): BoxerError {
  if (NO_SPACE.test(messageOf(cause)))
    return new BoxerError("disk_full", "Cannot pack image: no space left", { cause });
  return new BoxerError("internal", `Cannot pack image: ${reason}`, { cause });
}
