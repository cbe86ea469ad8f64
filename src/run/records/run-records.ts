import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { Logger } from "pino";
import type { Config } from "../../config/config.ts";
import { messageOf } from "../../core/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import type { EndedRun, RunObserver } from "../run-observer.ts";
import {
  isDamaged,
  type RecordBounds,
  RecordFile,
  type RecordPosition,
  type RecordQuery,
  setAside,
} from "./record-file.ts";
import { imageKey, type RunRecord, recordOf } from "./run-record.ts";

/** What the records stand on. */
export interface RunRecordsParts {
  readonly platform: Platform;
  /** The SQLite file; made when missing. */
  readonly path: string;
  readonly config: Pick<Config, "defaults" | "run_records_max" | "run_records_days">;
  readonly log: Logger;
}

/** How long a record may wait to be written with others; a server that is killed loses no more than that. */
const BATCH_MS = 100;
const BATCH_RECORDS = 256;
/** How long it is before what could not be written is tried again. */
const RETRY_MS = 2_000;
/** Most records that wait; beyond it the oldest of them are lost. */
const MAX_WAITING = 2_000;
const PRUNE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Remembers the runs that have ended. Telling it of a run costs no file operation; no fault of the file or its disk ever
 * reaches a run. With `run_records_max` 0 it remembers nothing and touches no file.
 */
export class RunRecords implements RunObserver {
  readonly #parts: RunRecordsParts;
  readonly #bounds: RecordBounds;
  #file: RecordFile | null = null;
  /** Ended last, not yet written. */
  #waiting: RunRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #pruning: NodeJS.Timeout | undefined;
  #isFailing = false;
  #isClosed = false;
  #lost = 0;

  constructor(parts: RunRecordsParts) {
    this.#parts = parts;
    const { run_records_max, run_records_days } = parts.config;
    this.#bounds = { max_records: run_records_max, max_age_ms: run_records_days * DAY_MS };
    if (run_records_max === 0) return;
    this.#attempt((file) => file.prune(this.#bounds));
    this.#pruning = setInterval(() => this.#attempt((file) => file.prune(this.#bounds)), PRUNE_MS).unref();
  }

  ended(run: EndedRun): void {
    if (this.#bounds.max_records === 0 || this.#isClosed) return;
    this.#waiting.push(recordOf(run, this.#parts.config.defaults));
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.#schedule(BATCH_MS);
  }

  /** The record of a run, or null when there is none (any more). */
  find(exec_id: string): RunRecord | null {
    const waiting = this.#waiting.find((record) => record.exec_id === exec_id);
    return waiting ?? this.#read((file) => file.find(exec_id), null);
  }

  /** The records that fit, in the order of {@link compareRuns}. */
  list(query: RecordQuery): RunRecord[] {
    const waiting = this.#waiting.filter((record) => fits(record, query));
    const written = this.#read<RunRecord[]>((file) => file.list(query), []);
    return [...waiting, ...written].sort(compareRuns).slice(0, query.limit);
  }

  /** Writes what is waiting, if it can be written, and closes the file. */
  close(): void {
    clearInterval(this.#pruning);
    this.#isClosed = true;
    do this.#flush();
    while (this.#waiting.length > 0 && !this.#isFailing);
    clearTimeout(this.#timer);
    this.#file?.close();
    this.#file = null;
  }

  #schedule(delay_ms: number): void {
    this.#timer ??= setTimeout(() => this.#flush(), delay_ms).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, BATCH_RECORDS);
    const isWritten = this.#attempt((file) => file.add(batch, this.#bounds));
    if (isWritten) this.#waiting.splice(0, batch.length);
    if (this.#waiting.length > 0) this.#schedule(isWritten ? 0 : RETRY_MS);
  }

  /** Does work on the file, on a new one where the old one is damaged. @returns whether it was done */
  #attempt(work: (file: RecordFile) => void): boolean {
    try {
      try {
        work(this.#open());
      } catch (error) {
        if (!isDamaged(error)) throw error;
        this.#setAside(error);
        work(this.#open());
      }
      if (this.#isFailing) this.#parts.log.info({ lost: this.#lost }, "run records are written again");
      this.#isFailing = false;
      this.#lost = 0;
      return true;
    } catch (err) {
      if (!this.#isFailing) this.#parts.log.error({ err }, "cannot write run records; trying again");
      this.#isFailing = true;
      return false;
    }
  }

  /** @throws what SQLite says of anything but damage */
  #read<T>(work: (file: RecordFile) => T, otherwise: T): T {
    if (this.#file === null) return otherwise;
    try {
      return work(this.#file);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#setAside(error);
      return otherwise;
    }
  }

  #open(): RecordFile {
    this.#file ??= RecordFile.open(this.#parts.platform, this.#parts.path);
    return this.#file;
  }

  #setAside(error: unknown): void {
    this.#file?.close();
    this.#file = null;
    const aside = setAside(this.#parts.path);
    this.#parts.log.error(
      { reason: messageOf(error) },
      `the run records are damaged; they are now in ${aside}`,
    );
  }
}

/** Newest first: by the time of submission, then by id. Negative when `a` comes first, 0 for the same run. */
export function compareRuns(a: RecordPosition, b: RecordPosition): number {
  if (a.exec_id === b.exec_id) return 0;
  return b.submitted_at_ms - a.submitted_at_ms || (a.exec_id < b.exec_id ? 1 : -1);
}

function fits(record: RunRecord, { status, image, before }: RecordQuery): boolean {
  if (status !== undefined && record.status !== status) return false;
  if (image !== undefined && imageKey(record.image) !== image) return false;
  return before === undefined || compareRuns(before, record) < 0;
}
