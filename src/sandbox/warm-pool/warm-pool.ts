import { messageOf } from "../../core/errors.ts";
import { Backoff } from "./backoff.ts";
import { type BootShape, keyOfShape } from "./boot-shape.ts";
import { Demand } from "./demand.ts";
import { nextStep, type Step } from "./next-step.ts";
import { type PoolClock, systemClock } from "./pool-clock.ts";
import type { Bootable, WarmPoolParts, WarmPoolStats } from "./types.ts";

/** What a sandbox that waits counts for, in MB: sentry and gofer take 20 to 25, whatever its guest may use later. */
export const IDLE_MB = 32;

interface Ready<S> {
  readonly key: string;
  readonly shape: BootShape;
  readonly sandbox: S;
  readonly expires_ms: number;
}

interface Boot {
  readonly key: string;
  readonly shape: BootShape;
  readonly abort: AbortController;
}

/**
 * Sandboxes booted ahead for the images that are asked for. Each is given to one run at most.
 *
 * The admission of runs need not count the memory of those that wait: it is bounded here, and small beside what
 * `max_reserved_memory_mb` leaves. One that is handed over is within what its run has reserved.
 */
export class WarmPool<S extends Bootable> {
  readonly #parts: WarmPoolParts<S>;
  readonly #clock: PoolClock;
  readonly #slots: number;
  readonly #demand = new Demand();
  readonly #backoff = new Backoff();
  /** The oldest first. */
  readonly #ready = new Set<Ready<S>>();
  readonly #boots = new Set<Boot>();
  /** What boots or discards, until it has, with its shape. */
  readonly #pending = new Map<Promise<void>, BootShape>();
  #leaving = 0;
  #disarm = (): void => {};
  #closed = false;
  #hits = 0;
  #misses = 0;
  #failed = 0;
  #discarded = 0;

  constructor(parts: WarmPoolParts<S>) {
    const { max, max_memory_mb } = parts.limits;
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#slots = Math.min(max, Math.floor(max_memory_mb / IDLE_MB));
  }

  /**
   * Hands over a booted sandbox of that shape for good, or null: then the caller boots one. Counts the demand either way.
   * The oldest goes first, since the younger ones are of use for longer. Nothing is booted here, where it would be in the
   * way of the run; {@link poke} does when that has ended.
   */
  take(shape: BootShape): S | null {
    this.#demand.note(shape, this.#clock.now());
    this.#discardAged();
    const key = keyOfShape(shape);
    const found = [...this.#ready].find((entry) => entry.key === key);
    if (!found) {
      this.#misses += 1;
      return null;
    }
    this.#ready.delete(found);
    this.#backoff.clear(key);
    this.#hits += 1;
    return found.sandbox;
  }

  /** Keeps so many of a shape ready from now on, as far as there is room; 0 takes that back. */
  want(shape: BootShape, count: number): void {
    if (this.#closed) return;
    this.#demand.want(shape, count, this.#clock.now());
    this.poke();
  }

  /**
   * Discards the sandboxes of shapes whose image is removed, replaced, or not what its reference means any more; forgets
   * the demand for them, and that they were wanted.
   * @returns settles when they are gone, those that were booting as well; never rejects
   */
  async drop(matches: (shape: BootShape) => boolean): Promise<void> {
    this.#demand.forget(matches);
    this.#backoff.forget(matches);
    for (const { shape, abort } of this.#boots) if (matches(shape)) abort.abort();
    for (const entry of this.#ready) if (matches(entry.shape)) this.#discard(entry);
    const going = [...this.#pending].filter(([, shape]) => matches(shape));
    await Promise.all(going.map(([done]) => done));
  }

  /** Discards what is too old, and boots what is worth it where no run is delayed. To be called whenever a run ends. */
  poke(): void {
    if (this.#closed) return;
    this.#discardAged();
    while (this.#boots.size < this.#parts.spare()) {
      const step = this.#nextStep();
      if (step === null) break;
      if ("boot" in step) this.#boot(step.boot.key, step.boot.shape);
      else this.#discardOldest(step.discard);
    }
    this.#arm();
  }

  /** Those that wait. */
  ready(): S[] {
    return [...this.#ready].map(({ sandbox }) => sandbox);
  }

  stats(): WarmPoolStats {
    return {
      ready: this.#ready.size,
      booting: this.#boots.size,
      memory_mb: this.#taken * IDLE_MB,
      hits: this.#hits,
      misses: this.#misses,
      failed: this.#failed,
      discarded: this.#discarded,
    };
  }

  /** Stops boots and discards all; from then on nothing is given. Settles when nothing is left; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#disarm();
    await this.drop(() => true);
  }

  get #taken(): number {
    return this.#ready.size + this.#boots.size + this.#leaving;
  }

  #nextStep(): Step {
    const isFull = this.#taken >= this.#slots;
    // One is on its way out, and makes room: no other need go.
    if (this.#slots === 0 || (isFull && this.#leaving > 0)) return null;
    const now_ms = this.#clock.now();
    const waiting = [...this.#ready].map(({ key }) => key);
    const booting = [...this.#boots].filter(({ abort }) => !abort.signal.aborted).map(({ key }) => key);
    const held = new Map<string, number>();
    for (const key of [...waiting, ...booting]) held.set(key, (held.get(key) ?? 0) + 1);
    const holdings = { slots: this.#slots, taken: this.#taken, held, waiting };
    return nextStep(this.#demand.candidates(now_ms), holdings, (key) => this.#backoff.isPaused(key, now_ms));
  }

  #boot(key: string, shape: BootShape): void {
    const boot = { key, shape, abort: new AbortController() };
    this.#boots.add(boot);
    this.#track(shape, this.#bootToEnd(boot));
  }

  async #bootToEnd(boot: Boot): Promise<void> {
    const { shape, abort } = boot;
    try {
      const sandbox = await this.#parts.boot(shape, abort.signal);
      this.#boots.delete(boot);
      if (abort.signal.aborted) await this.#end(sandbox);
      else this.#keep(boot, sandbox);
    } catch (error) {
      this.#boots.delete(boot);
      if (!abort.signal.aborted) this.#fail(shape, error);
    }
  }

  #keep({ key, shape }: Boot, sandbox: S): void {
    const expires_ms = this.#clock.now() + this.#parts.limits.max_age_secs * 1000;
    const entry = { key, shape, sandbox, expires_ms };
    this.#ready.add(entry);
    const gone = (): void => {
      if (!this.#ready.has(entry)) return;
      this.#fail(shape, new Error("It ended by itself"));
      this.#discard(entry);
    };
    sandbox.ended.then(gone, gone);
  }

  #fail(shape: BootShape, reason: unknown): void {
    this.#failed += 1;
    const isFirst = this.#backoff.fail(shape, this.#clock.now());
    const details = { image: shape.image, reason: messageOf(reason) };
    this.#parts.log[isFirst ? "warn" : "debug"](details, "cannot keep a sandbox ready");
  }

  #discardAged(): void {
    const now_ms = this.#clock.now();
    for (const entry of this.#ready) {
      if (entry.expires_ms > now_ms) return;
      this.#backoff.clear(entry.key);
      this.#discard(entry);
    }
  }

  #discardOldest(key: string): void {
    const entry = [...this.#ready].find((one) => one.key === key);
    if (entry) this.#discard(entry);
  }

  #discard(entry: Ready<S>): void {
    this.#ready.delete(entry);
    this.#track(entry.shape, this.#end(entry.sandbox));
  }

  /** Never rejects: one that cannot be ended is for the next start to sweep. */
  async #end(sandbox: S): Promise<void> {
    this.#leaving += 1;
    this.#discarded += 1;
    try {
      await sandbox.discard();
    } catch (err) {
      this.#parts.log.error({ err }, "cannot discard a sandbox booted ahead");
    }
    this.#leaving -= 1;
  }

  #track(shape: BootShape, work: Promise<void>): void {
    const done = work.then(() => {
      this.#pending.delete(done);
      this.poke();
    });
    this.#pending.set(done, shape);
  }

  /** Looks again when the oldest is too old, or a shape may be tried again; all else is followed by a poke. */
  #arm(): void {
    this.#disarm();
    const [oldest] = this.#ready;
    const now_ms = this.#clock.now();
    const next_ms = Math.min(oldest?.expires_ms ?? Number.POSITIVE_INFINITY, this.#backoff.nextEnd(now_ms));
    if (next_ms < Number.POSITIVE_INFINITY) {
      this.#disarm = this.#clock.after(next_ms - now_ms, () => this.poke());
    }
  }
}
