import type { Database, Platform } from "./platform.ts";

/** Another server uses this home directory. */
export class HomeInUseError extends Error {
  override readonly name = "HomeInUseError";
}

/**
 * Takes the home directory for this process. SQLite's exclusive lock is an fcntl(2) lock: it ends with the process,
 * even by SIGKILL, so there is no stale lock to judge.
 * @param path the lock file; made when missing
 * @returns how to give the home back
 * @throws HomeInUseError
 */
export function lockHome(platform: Platform, path: string): () => void {
  const database = platform.openDatabase(path);
  try {
    takeExclusive(database);
  } catch (error) {
    database.close();
    throw new HomeInUseError(`${path}: another Boxer server uses this home directory`, { cause: error });
  }
  return () => database.close();
}

function takeExclusive(database: Database): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("BEGIN EXCLUSIVE");
}
