import { messageOf } from "../../core/errors.ts";
import { Backoff } from "./backoff.ts";
import { BootAhead } from "./boot-ahead.ts";
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
  /** Those ahead of any run, the first to begin first. */
  readonly #boots = new Set<BootAhead<S>>();
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
   * The oldest goes first, since the younger ones are of use for longer. Where none waits, one that is booting is waited
   * for: it has begun before the caller's own would, and the two would slow each other. Never rejects.
   */
  async take(shape: BootShape): Promise<S | null> {
    const now_ms = this.#clock.now();
    this.#demand.note(shape, now_ms);
    this.#discardAged(now_ms);
    const key = keyOfShape(shape);
    const sandbox = this.#takeReady(key) ?? (await this.#takeBooting(key));
    if (sandbox === null) {
      this.#misses += 1;
      return null;
    }
    this.#backoff.clear(key);
    this.#hits += 1;
    return sandbox;
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
    for (const boot of this.#boots) if (matches(boot.shape)) boot.abort();
    for (const entry of this.#ready) if (matches(entry.shape)) this.#discard(entry);
    const going = [...this.#pending].filter(([, shape]) => matches(shape));
    await Promise.all(going.map(([done]) => done));
  }

  /** Discards what is too old, and boots what is worth it where no run is delayed. To be called whenever a run ends. */
  poke(): void {
    if (this.#closed) return;
    // One moment for all: a pause that ended between two looks would be seen by neither, and nothing would wake the pool.
    const now_ms = this.#clock.now();
    this.#discardAged(now_ms);
    while (this.#boots.size < this.#parts.spare()) {
      const step = this.#nextStep(now_ms);
      if (step === null) break;
      if ("boot" in step) this.#boot(step.boot.key, step.boot.shape);
      else this.#discardOldest(step.discard);
    }
    this.#arm(now_ms);
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

  #takeReady(key: string): S | null {
    const found = [...this.#ready].find((entry) => entry.key === key);
    if (!found) return null;
    this.#ready.delete(found);
    return found.sandbox;
  }

  /** A boot that a run waits for is the run's own from then on, and another may begin ahead. */
  async #takeBooting(key: string): Promise<S | null> {
    const boot = [...this.#boots].find((one) => one.key === key && !one.isAborted);
    if (!boot) return null;
    this.#boots.delete(boot);
    const given = boot.claim();
    this.poke();
    return given;
  }

  #nextStep(now_ms: number): Step {
    const isFull = this.#taken >= this.#slots;
    // One is on its way out, and makes room: no other need go.
    if (this.#slots === 0 || (isFull && this.#leaving > 0)) return null;
    const waiting = [...this.#ready].map(({ key }) => key);
    const booting = [...this.#boots].filter(({ isAborted }) => !isAborted).map(({ key }) => key);
    const held = new Map<string, number>();
    for (const key of [...waiting, ...booting]) held.set(key, (held.get(key) ?? 0) + 1);
    const holdings = { slots: this.#slots, taken: this.#taken, held, waiting };
    return nextStep(this.#demand.candidates(now_ms), holdings, (key) => this.#backoff.isPaused(key, now_ms));
  }

  #boot(key: string, shape: BootShape): void {
    const boot = new BootAhead<S>(key, shape);
    this.#boots.add(boot);
    this.#track(shape, this.#bootToEnd(boot));
  }

  async #bootToEnd(boot: BootAhead<S>): Promise<void> {
    try {
      const sandbox = await this.#parts.boot(boot.shape, boot.control);
      const isAhead = this.#boots.delete(boot);
      if (!isAhead) boot.give(sandbox);
      else if (boot.isAborted) await this.#end(sandbox);
      else this.#keep(boot, sandbox);
    } catch (error) {
      this.#boots.delete(boot);
      if (!boot.isAborted) this.#fail(boot.shape, error);
      boot.give(null);
    }
  }

  #keep({ key, shape }: BootAhead<S>, sandbox: S): void {
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

  #discardAged(now_ms: number): void {
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
  #arm(now_ms: number): void {
    this.#disarm();
    const [oldest] = this.#ready;
    const next_ms = Math.min(oldest?.expires_ms ?? Number.POSITIVE_INFINITY, this.#backoff.nextEnd(now_ms));
    if (next_ms < Number.POSITIVE_INFINITY) {
      this.#disarm = this.#clock.after(next_ms - now_ms, () => this.poke());
    }
  }
}
