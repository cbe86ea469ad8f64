import { messageOf } from "../core/errors.ts";
import type { Database, Platform } from "./platform.ts";

/** Another server uses this home directory. */
export class HomeInUseError extends Error {
  override readonly name = "HomeInUseError";
}

/** Kept from the garbage collector, which would close them and so give the homes away. */
const held = new Set<Database>();

/**
 * Takes the home directory for this process. SQLite's exclusive lock is an fcntl(2) lock: it ends with the process,
 * even by SIGKILL, so there is no stale lock to judge.
 * @param path the lock file; made when missing
 * @returns how to give the home back
 * @throws HomeInUseError; an Error when the file cannot be used at all
 */
export function lockHome(platform: Platform, path: string): () => void {
  const database = platform.openDatabase(path);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!/database is locked/.test(messageOf(error))) throw error;
    throw new HomeInUseError(`${path}: another Boxer server uses this home directory`, { cause: error });
  }
  held.add(database);
  return () => {
    held.delete(database);
    database.close();
  };
}
