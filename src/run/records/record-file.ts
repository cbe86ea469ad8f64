import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import type { Database, Platform } from "../../platform/platform.ts";
import { imageKey, type RecordStatus, type RunRecord } from "./run-record.ts";

/** Which records are wanted; those that were submitted last come first. */
export interface RecordQuery {
  readonly status?: RecordStatus;
  /** In the spelling of {@link imageKey}. */
  readonly image?: string;
  /** Most records. */
  readonly limit: number;
  /** Only what comes after this one. */
  readonly before?: RecordPosition;
}

/** The place of a run in the list: it is the same while the run is active, and when it has ended. */
export interface RecordPosition {
  readonly submitted_at_ms: number;
  readonly exec_id: string;
}

/** What bounds the records. */
export interface RecordBounds {
  readonly max_records: number;
  readonly max_age_ms: number;
}

const VERSION = 1;
/** Most records removed at a time: a bound that is lowered must not stop the server for its work. */
const PRUNED_AT_ONCE = 1_000;

/** `seq` counts the runs in the order in which they ended, so that the oldest are found without a search. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS run (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    exec_id TEXT NOT NULL UNIQUE,
    submitted_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    image TEXT NOT NULL,
    record TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS run_by_time ON run (submitted_at_ms, exec_id);
  CREATE INDEX IF NOT EXISTS run_by_status ON run (status, submitted_at_ms, exec_id);
  CREATE INDEX IF NOT EXISTS run_by_image ON run (image, submitted_at_ms, exec_id);
  CREATE INDEX IF NOT EXISTS run_by_end ON run (ended_at_ms);
  PRAGMA user_version = ${VERSION};
`;

/**
 * The records on disk, in one SQLite file. In WAL mode with `synchronous = NORMAL` a commit waits for no disk; a process
 * that is killed loses nothing that was committed, and the file stays whole when the machine loses power.
 */
export class RecordFile {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Opens the file, or makes it.
   * @throws what SQLite says, `isDamaged` when the file is none of ours
   */
  static open(platform: Platform, path: string): RecordFile {
    // Commands may hold secrets; what SQLite makes beside the file gets the same mode.
    closeSync(openSync(path, "a", 0o600));
    const database = platform.openDatabase(path);
    try {
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = NORMAL");
      const [found] = database.all("PRAGMA user_version");
      if (found?.user_version !== 0 && found?.user_version !== VERSION) {
        throw new DamagedError(`version ${found?.user_version} is not ${VERSION}`);
      }
      const [check] = database.all("PRAGMA quick_check(1)");
      if (check?.quick_check !== "ok") throw new DamagedError(String(check?.quick_check));
      database.exec(SCHEMA);
      return new RecordFile(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Writes records in one transaction: all of them, or none. */
  add(records: readonly RunRecord[], bounds: RecordBounds): void {
    this.#transaction(() => {
      for (const record of records) {
        this.#database.run(
          "INSERT OR REPLACE INTO run (exec_id, submitted_at_ms, ended_at_ms, status, image, record) VALUES (?, ?, ?, ?, ?, ?)",
          record.exec_id,
          record.submitted_at_ms,
          record.ended_at_ms,
          record.status,
          imageKey(record.image),
          JSON.stringify(record),
        );
      }
      this.#prune(bounds);
    });
  }

  /** Removes some of what passes the bounds; the rest goes the next times. */
  prune(bounds: RecordBounds): void {
    this.#transaction(() => this.#prune(bounds));
  }

  find(exec_id: string): RunRecord | null {
    const [row] = this.#database.all("SELECT record FROM run WHERE exec_id = ?", exec_id);
    return row ? parse(row) : null;
  }

  list({ status, image, limit, before }: RecordQuery): RunRecord[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const where = (condition: string, ...bound: (string | number)[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (status !== undefined) where("status = ?", status);
    if (image !== undefined) where("image = ?", image);
    if (before) where("(submitted_at_ms, exec_id) < (?, ?)", before.submitted_at_ms, before.exec_id);
    const filter = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    const order = "ORDER BY submitted_at_ms DESC, exec_id DESC LIMIT ?";
    return this.#database.all(`SELECT record FROM run ${filter} ${order}`, ...values, limit).map(parse);
  }

  close(): void {
    this.#database.close();
  }

  #prune({ max_records, max_age_ms }: RecordBounds): void {
    // In the order of the index that finds them; any other order would read all records.
    const remove = (key: "seq" | "ended_at_ms", condition: string, value: number) =>
      this.#database.run(
        `DELETE FROM run WHERE seq IN (SELECT seq FROM run WHERE ${condition} ORDER BY ${key} LIMIT ${PRUNED_AT_ONCE})`,
        value,
      );
    remove("seq", "seq <= (SELECT max(seq) FROM run) - ?", max_records);
    remove("ended_at_ms", "ended_at_ms < ?", Date.now() - max_age_ms);
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** Some faults, a full disk for one, roll back by themselves. */
  #rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // There was nothing to roll back.
    }
  }
}

class DamagedError extends Error {
  override readonly name = "DamagedError";
}

/** Whether the file itself is at fault (SQLITE_CORRUPT, SQLITE_NOTADB, a strange version), and not the disk or a lock. */
export function isDamaged(error: unknown): boolean {
  return error instanceof DamagedError || /malformed|not a database/i.test(messageOf(error));
}

/**
 * Makes way for a new file; the damaged one stays beside it, in the place of an earlier one.
 * @returns where it is
 */
export function setAside(path: string): string {
  const aside = `${path}.damaged`;
  for (const suffix of ["", "-wal", "-shm"]) {
    rmSync(aside + suffix, { recursive: true, force: true });
    try {
      renameSync(path + suffix, aside + suffix);
    } catch {
      // Most of the time there is no such file.
    }
  }
  return aside;
}

function parse(row: Record<string, unknown>): RunRecord {
  return JSON.parse(String(row.record)) as RunRecord;
}
