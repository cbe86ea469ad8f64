import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  openSync,
} from "node:fs";
import type { EntryMetadata } from "./layer-entry.ts";

/** Only root gives files away; for anyone else every file of the image is their own. */
const PRIVILEGED = process.geteuid?.() === 0;
/** Without root's rights, what we cannot read we could not pack. The guest is never the owner then. */
const OWN_DIRECTORY_BITS = PRIVILEGED ? 0 : 0o700;
const OWN_FILE_BITS = PRIVILEGED ? 0 : 0o400;
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Gives an open file its owner, permissions and time, in an order in which none undoes another. */
export function applyMetadataToFile(fd: number, metadata: EntryMetadata): void {
  applyMetadataToFd(fd, metadata, OWN_FILE_BITS);
}

/**
 * Gives a directory its owner, permissions and time.
 * @throws ENOTDIR, ELOOP when it is none (a link to one is none)
 */
export function applyMetadata(directory: string, metadata: EntryMetadata): void {
  const fd = openSync(directory, OPEN_DIRECTORY);
  try {
    applyMetadataToFd(fd, metadata, OWN_DIRECTORY_BITS);
  } finally {
    closeSync(fd);
  }
}

/** Gives a symbolic link its owner and time; it has no permissions of its own. */
export function applyMetadataToLink(path: string, { uid, gid, mtime_secs }: EntryMetadata): void {
  if (PRIVILEGED) lchownSync(path, uid, gid);
  lutimesSync(path, mtime_secs, mtime_secs);
}

function applyMetadataToFd(fd: number, metadata: EntryMetadata, ownBits: number): void {
  const { mode, uid, gid, mtime_secs } = metadata;
  // chown(2) takes setuid and setgid away, and any later change moves the times.
  if (PRIVILEGED) fchownSync(fd, uid, gid);
  fchmodSync(fd, mode | ownBits);
  futimesSync(fd, mtime_secs, mtime_secs);
}
