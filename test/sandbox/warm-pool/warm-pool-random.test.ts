import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BootShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { IDLE_MB } from "../../../src/sandbox/warm-pool/warm-pool.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { FakePool, type FakeSandbox, settled, shapeOf } from "./support/fake-pool.ts";

const SEEDS = 60;
const STEPS = 250;
const MAX = 4;
const MAX_BY_MEMORY = 3;
const SHAPES = ["a", "b", "c"].flatMap((image) => [shapeOf(image, 1), shapeOf(image, 2)]);

/** Does anything that can be done to a pool, in any order, and checks after each step what must hold after all. */
class RandomLife {
  readonly #random: () => number;
  readonly #fake: FakePool;
  readonly #taken = new Set<FakeSandbox>();
  readonly #dead = new Set<FakeSandbox>();
  readonly #runs: Promise<void>[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const max_memory_mb = (seed % 2 === 0 ? MAX_BY_MEMORY : 100) * IDLE_MB;
    this.#fake = new FakePool({ max: MAX, max_memory_mb, max_age_secs: 60 });
    this.#fake.slowDiscards = seed % 3 === 0;
  }

  async live(seed: number): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const begun = this.#fake.begun.length;
      const booting = this.#fake.pool.stats().booting;
      await this.#step();
      if (this.#fake.begun.length > begun && this.#fake.spare === 0)
        assert.fail("booted without CPU to spare");
      assert.ok(this.#fake.ahead.length <= Math.max(booting, this.#fake.spare), "too many boots at once");
      this.#check(seed % 2 === 0 ? MAX_BY_MEMORY : MAX);
    }
    await this.#end();
  }

  #step(): Promise<unknown> | unknown {
    const { pool, clock, boots } = this.#fake;
    const shape = this.#pick(SHAPES);
    const steps = [
      () => this.#take(),
      () => this.#take(),
      () => this.#take(),
      () => pool.poke(),
      () => this.#succeed(),
      () => this.#succeed(),
      () => this.#pick(boots)?.fail(new Error("no")),
      () => this.#die(),
      () => this.#letGo(),
      () => clock.pass(this.#random() * 20_000),
      () => pool.want(shape ?? shapeOf("a"), Math.floor(this.#random() * 3)),
      () => void (this.#random() < 0.3 && pool.drop(({ image }) => image === shape?.image)),
      () => {
        this.#fake.spare = Math.floor(this.#random() * 3);
      },
    ];
    return this.#pick(steps)?.();
  }

  /** The run goes on by itself where it waits for a boot. */
  async #take(): Promise<void> {
    const shape = this.#pick(SHAPES) ?? shapeOf("a");
    const run = this.#fake.pool.take(shape).then((sandbox) => this.#have(sandbox, shape));
    this.#runs.push(run);
    await settled();
  }

  #have(sandbox: FakeSandbox | null, shape: BootShape): void {
    if (sandbox === null) return;
    assert.deepEqual(sandbox.shape, shape);
    assert.ok(this.#fake.booted.has(sandbox), "given before it was booted");
    assert.ok(!this.#taken.has(sandbox), "given twice");
    assert.ok(!this.#dead.has(sandbox), "given after it was gone");
    assert.equal(sandbox.discarding, undefined, "given after it was discarded");
    this.#taken.add(sandbox);
  }

  async #succeed(): Promise<void> {
    await this.#pick(this.#fake.boots)?.succeed();
  }

  async #die(): Promise<void> {
    const sandbox = this.#pick([...this.#fake.booted]);
    if (!sandbox) return;
    this.#dead.add(sandbox);
    sandbox.die();
    await settled();
  }

  async #letGo(): Promise<void> {
    for (const { discarding } of this.#fake.booted) if (this.#random() < 0.5) discarding?.resolve();
    await settled();
  }

  #check(max: number): void {
    const { ready, booting, memory_mb, hits } = this.#fake.pool.stats();
    assert.ok(ready + booting <= max && memory_mb <= max * IDLE_MB, `${ready} + ${booting}, ${memory_mb} MB`);
    assert.equal(booting, this.#fake.ahead.length);
    assert.equal(hits, this.#taken.size);
    const waiting = [...this.#fake.booted].filter((one) => !one.discarding && !this.#taken.has(one));
    assert.equal(ready, waiting.length, "a sandbox is neither taken, discarded nor ready");
    for (const sandbox of this.#taken)
      assert.equal(sandbox.discarding, undefined, "discarded after it was given");
  }

  /** Nothing is left, and nothing comes after. */
  async #end(): Promise<void> {
    const { pool, boots, clock, begun } = this.#fake;
    const closed = pool.close();
    while (boots.length > 0) {
      if (this.#random() < 0.5) await this.#succeed();
      else await boots[0]?.fail(new Error("stopped"));
    }
    for (const { discarding } of this.#fake.booted) discarding?.resolve();
    await closed;
    await Promise.all(this.#runs);
    for (const one of this.#fake.booted) assert.ok(this.#taken.has(one) !== (one.discarding !== undefined));
    const boots_begun = begun.length;
    this.#fake.spare = 2;
    for (const shape of [...SHAPES, ...SHAPES]) assert.equal(await this.#fake.run(shape), null);
    await clock.pass(3_600_000);
    const { ready, booting, memory_mb } = pool.stats();
    assert.deepEqual([ready, booting, memory_mb, begun.length, clock.timers], [0, 0, 0, boots_begun, 0]);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }
}

describe("whatever happens to a pool, in whatever order, it keeps its promises", () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    test(`seed ${seed}`, () => new RandomLife(seed).live(seed));
  }
});
