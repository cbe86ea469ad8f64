import type { Logger } from "pino";
import { BoxerError, errnoOf } from "../../core/errors.ts";
import { abortable } from "../abortable.ts";
import type { Clock } from "../clock.ts";
import type { Digest } from "../digest.ts";
import { describePull } from "./describe-pull.ts";
import type { PullEvent, PullStatus } from "./pull-status.ts";
import { beginPull, reducePull } from "./reduce-pull.ts";

export interface PullBoardOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Time between two log lines of a pull that takes long. Default 10 s. */
  readonly log_interval_ms?: number;
}

/** Tells the board of what happens to one pull. */
export type Report = (event: PullEvent) => void;

interface Watcher {
  readonly reference: string;
  /** The last state of a pull that has ended; the board has forgotten it. */
  ended: PullStatus | undefined;
  wake: () => void;
}

const LOG_INTERVAL_MS = 10_000;
/** Nobody reads faster than this. */
const UPDATE_INTERVAL_MS = 250;

/**
 * Shows the pulls under way. It holds the latest state of each and nothing else, however fast events come and however
 * slowly anybody looks.
 */
export class PullBoard {
  readonly #options: PullBoardOptions;
  /** By a number of their own: one that was abandoned may still be cleaning up when the next has begun. */
  readonly #pulls = new Map<number, PullStatus>();
  readonly #watchers = new Set<Watcher>();
  /** Bytes of each blob that came since anybody looked. */
  readonly #received = new Map<Digest, number>();
  #lastId = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: PullBoardOptions) {
    this.#options = options;
  }

  /** Shows a pull for as long as `work` takes. Throws what it throws. */
  async track<T>(reference: string, work: (report: Report) => Promise<T>): Promise<T> {
    const id = ++this.#lastId;
    this.#pulls.set(id, beginPull(reference, this.#options.clock.now()));
    this.#timer ??= setInterval(() => this.#logAll(), this.#options.log_interval_ms ?? LOG_INTERVAL_MS);
    this.#wake();
    try {
      const result = await work((event) => this.#report(id, event));
      this.#end(id, { type: "ready" });
      return result;
    } catch (error) {
      const reason = reasonOf(error);
      this.#options.log.warn({ image: reference, reason }, "image pull failed");
      this.#end(id, { type: "failed", reason });
      throw error;
    }
  }

  /** What happens to an image concerns all pulls that wait for it. */
  reportImage(image: Digest, event: PullEvent): void {
    for (const [id, { digest }] of this.#pulls) if (digest === image) this.#report(id, event);
  }

  /** As `reportImage`, for a blob on its way; cheap enough for every chunk. */
  reportBlob(blob: Digest, downloaded_bytes: number): void {
    this.#received.set(blob, downloaded_bytes);
    this.#wake();
  }

  /** All pulls under way, oldest first. */
  pulls(): readonly PullStatus[] {
    this.#takeIn();
    return [...this.#pulls.values()];
  }

  /**
   * The states of the newest pull of a reference, from the present one, or the next one to begin, to its end. Comes
   * at most four times a second; what was not looked at in time is left out. Ends when the signal aborts.
   */
  async *watch(reference: string, signal: AbortSignal): AsyncGenerator<PullStatus, void, undefined> {
    const watcher: Watcher = { reference, ended: undefined, wake: () => {} };
    this.#watchers.add(watcher);
    try {
      for (let shown: PullStatus | undefined; !signal.aborted; ) {
        const { promise: changed, resolve } = Promise.withResolvers<void>();
        watcher.wake = resolve;
        const status = watcher.ended ?? this.pulls().findLast((pull) => pull.reference === reference);
        if (status && status !== shown) {
          yield status;
          shown = status;
          if (status === watcher.ended) return;
        }
        await abortable(changed, signal).catch(() => {});
        await this.#options.clock.sleep(UPDATE_INTERVAL_MS, signal).catch(() => {});
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  #report(id: number, event: PullEvent): void {
    this.#takeIn();
    const before = this.#pulls.get(id);
    if (!before) return;
    const sibling = event.type === "resolved" ? this.#siblingOf(id, event.digest) : undefined;
    const { digest, layers, phase } = sibling ?? before;
    this.#pulls.set(id, sibling ? { ...before, digest, layers, phase } : reducePull(before, event));
    this.#wake();
  }

  /** Another pull of the same image: the two share what is done, also what is done already. */
  #siblingOf(id: number, image: Digest): PullStatus | undefined {
    return [...this.#pulls].find(([other, { digest }]) => other !== id && digest === image)?.[1];
  }

  #end(id: number, event: PullEvent): void {
    this.#report(id, event);
    const ended = this.#pulls.get(id);
    this.#pulls.delete(id);
    for (const watcher of this.#watchers) {
      const isOver = !this.pulls().some(({ reference }) => reference === watcher.reference);
      if (ended?.reference === watcher.reference && isOver) watcher.ended ??= ended;
    }
    if (this.#pulls.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#received.clear();
  }

  #takeIn(): void {
    for (const [blob, downloaded_bytes] of this.#received) {
      const event: PullEvent = { type: "downloading", blob, downloaded_bytes };
      for (const [id, status] of this.#pulls) this.#pulls.set(id, reducePull(status, event));
    }
    this.#received.clear();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher.wake();
  }

  #logAll(): void {
    for (const status of this.pulls()) {
      this.#options.log.info(describePull(status, this.#options.clock.now()), "image pull goes on");
    }
  }
}

/** The message of a system error shows paths of the host. */
function reasonOf(error: unknown): string {
  return error instanceof BoxerError ? error.message : (errnoOf(error) ?? "it was given up");
}
