import type { BootShape } from "../../../../src/sandbox/warm-pool/boot-shape.ts";
import type { PoolClock } from "../../../../src/sandbox/warm-pool/pool-clock.ts";
import type { Bootable, BootControl, WarmPoolLimits } from "../../../../src/sandbox/warm-pool/types.ts";
import { WarmPool } from "../../../../src/sandbox/warm-pool/warm-pool.ts";

/** A shape that differs from others by its image, and by its memory where that is given. */
export function shapeOf(image: string, memory_mb = 256): BootShape {
  return { image, rootfs: `/images/${image}`, rootfsType: "erofs", memory_mb, cpus: 2 };
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements PoolClock {
  #now_ms = 0;
  readonly #timers = new Map<() => void, number>();

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now_ms;
  }

  after(delay_ms: number, call: () => void): () => void {
    const timer = () => call();
    this.#timers.set(timer, this.#now_ms + delay_ms);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, timer by timer. */
  async pass(duration_ms: number): Promise<void> {
    const end_ms = this.#now_ms + duration_ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a - b);
      if (!next || next[1] > end_ms) break;
      const [timer, due_ms] = next;
      this.#now_ms = Math.max(this.#now_ms, due_ms);
      this.#timers.delete(timer);
      timer();
      await settled();
    }
    this.#now_ms = end_ms;
  }
}

/** A sandbox that ends when the test says so. */
export class FakeSandbox implements Bootable {
  readonly shape: BootShape;
  readonly #ended = Promise.withResolvers<unknown>();
  readonly ended = this.#ended.promise;
  /** Settles `discard`; undefined while nobody has called that. */
  discarding: PromiseWithResolvers<void> | undefined;
  /** Whether discarding it takes until the test says so. */
  readonly #isSlow: () => boolean;

  constructor(shape: BootShape, isSlow: () => boolean) {
    this.shape = shape;
    this.#isSlow = isSlow;
  }

  discard(): Promise<void> {
    if (this.discarding) throw new Error("discarded twice");
    this.discarding = Promise.withResolvers<void>();
    if (!this.#isSlow()) this.discarding.resolve();
    return this.discarding.promise;
  }

  /** Is gone by itself. */
  die(error?: Error): void {
    if (error) this.#ended.reject(error);
    else this.#ended.resolve(undefined);
  }
}

/** A boot under way. */
export interface FakeBoot {
  readonly shape: BootShape;
  readonly signal: AbortSignal;
  /** Whether a run waits for it. */
  isClaimed: boolean;
  /** @returns the sandbox that it gave */
  succeed(): Promise<FakeSandbox>;
  fail(error: Error): Promise<void>;
}

/** A pool whose boots, time and load are the test's to say. */
export class FakePool {
  readonly clock = new FakeClock();
  /** Those under way, the first to begin first. */
  readonly boots: FakeBoot[] = [];
  /** All sandboxes that there ever were. */
  readonly booted = new Set<FakeSandbox>();
  /** Images of all boots that ever began. */
  readonly begun: string[] = [];
  readonly logged: [level: "debug" | "warn" | "error", details: unknown][] = [];
  spare = 1;
  slowDiscards = false;
  readonly pool: WarmPool<FakeSandbox>;

  constructor(limits: Partial<WarmPoolLimits> = {}) {
    const note = (level: "debug" | "warn" | "error") => (details: unknown) => {
      this.logged.push([level, details]);
    };
    this.pool = new WarmPool<FakeSandbox>({
      boot: (shape, control) => this.#boot(shape, control),
      spare: () => this.spare,
      limits: { max: 4, max_memory_mb: 1024, max_age_secs: 600, ...limits },
      log: { debug: note("debug"), warn: note("warn"), error: note("error") },
      clock: this.clock,
    });
  }

  /** Those that no run waits for. */
  get ahead(): FakeBoot[] {
    return this.boots.filter(({ isClaimed }) => !isClaimed);
  }

  /** A run that asks for a shape and ends at once. */
  async run(shape: BootShape): Promise<FakeSandbox | null> {
    const sandbox = await this.pool.take(shape);
    this.pool.poke();
    await settled();
    return sandbox;
  }

  /** Has every boot succeed until there is none, and returns the sandboxes. */
  async bootAll(): Promise<FakeSandbox[]> {
    const booted: FakeSandbox[] = [];
    for (let boot = this.boots[0]; boot; boot = this.boots[0]) booted.push(await boot.succeed());
    return booted;
  }

  #boot(shape: BootShape, { signal, claimed }: BootControl): Promise<FakeSandbox> {
    const { promise, resolve, reject } = Promise.withResolvers<FakeSandbox>();
    const leave = () => this.boots.splice(this.boots.indexOf(boot), 1);
    const boot: FakeBoot = {
      shape,
      signal,
      isClaimed: false,
      succeed: async () => {
        leave();
        const sandbox = new FakeSandbox(shape, () => this.slowDiscards);
        this.booted.add(sandbox);
        resolve(sandbox);
        await settled();
        return sandbox;
      },
      fail: async (error) => {
        leave();
        reject(error);
        await settled();
      },
    };
    void claimed.then(() => {
      boot.isClaimed = true;
    });
    this.boots.push(boot);
    this.begun.push(shape.image);
    return promise;
  }
}

/** Lets everything go on that need not wait for anything. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
