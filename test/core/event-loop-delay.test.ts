import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventLoopDelay } from "../../src/core/event-loop-delay.ts";

/** A clock that stands until it is moved. */
class FakeClock {
  time_ms = 0;
  used_ms = 0;
  /** How long it was to be before each look. */
  readonly looks: number[] = [];
  #timer: { due_ms: number; interval_ms: number; action: () => void } | null = null;

  now_ms = () => this.time_ms;
  cpu_ms = () => this.used_ms;
  every = (interval_ms: number, action: () => void) => {
    const timer = { due_ms: this.time_ms + interval_ms, interval_ms, action };
    this.#timer = timer;
    return () => {
      if (this.#timer === timer) this.#timer = null;
    };
  };

  get isWaiting(): boolean {
    return this.#timer !== null;
  }

  /** Lets what is due happen, each in its time. */
  pass(ms: number): void {
    const end_ms = this.time_ms + ms;
    while (this.#timer && this.#timer.due_ms <= end_ms) this.#fire(this.#timer.due_ms);
    this.time_ms = end_ms;
  }

  /** Lets nothing happen for so long, and then what was due. */
  block(ms: number): void {
    this.time_ms += ms;
    if (this.#timer && this.#timer.due_ms <= this.time_ms) this.#fire(this.time_ms);
  }

  #fire(at_ms: number): void {
    this.time_ms = at_ms;
    if (!this.#timer) return;
    this.looks.push(this.#timer.interval_ms);
    this.#timer.due_ms = at_ms + this.#timer.interval_ms;
    this.#timer.action();
  }
}

describe("the delay of the event loop", () => {
  it("is none where all comes in time", () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    clock.pass(500);
    const { count, ...rest } = delay.take().late;
    assert.ok(count >= 40, `${count}`);
    assert.deepEqual(rest, { p50_ms: 0, p99_ms: 0, max_ms: 0, sum_ms: 0 });
  });

  it("is what a timer is late", () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    clock.pass(200);
    clock.block(60);
    clock.pass(200);
    const { max_ms, sum_ms } = delay.take().late;
    assert.deepEqual({ max_ms, sum_ms }, { max_ms: 50, sum_ms: 50 });
  });

  for (const [used_ms, told_ms] of [
    [0, 0],
    [30, 30],
    [500, 50],
  ] as const) {
    it(`is, where the process used ${used_ms} ms of processors in 50, its own computing for ${told_ms}`, () => {
      const clock = new FakeClock();
      const delay = new EventLoopDelay(clock);
      clock.pass(200);
      clock.used_ms += used_ms;
      clock.block(60);
      clock.pass(200);
      assert.equal(delay.take().computing.max_ms, told_ms);
    });
  }

  it("is looked at five times a second where nothing goes on", () => {
    const clock = new FakeClock();
    new EventLoopDelay(clock);
    clock.pass(2_000);
    clock.looks.length = 0;
    clock.pass(1_000);
    assert.equal(clock.looks.length, 5);
  });

  it("is looked at closely for a second after a request", () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    clock.pass(2_050);
    clock.looks.length = 0;
    delay.wake();
    clock.block(25);
    assert.equal(delay.take().late.max_ms, 15);
    clock.pass(900);
    assert.ok(clock.looks.every((interval_ms) => interval_ms === 10));
    clock.pass(2_000);
    assert.equal(clock.looks.at(-1), 200);
  });

  it("is looked at closely while the process computes, whatever for", () => {
    const clock = new FakeClock();
    new EventLoopDelay(clock);
    clock.pass(2_000);
    clock.used_ms += 50;
    clock.pass(220);
    assert.equal(clock.looks.at(-1), 10);
  });

  it("is no longer looked at after the end", () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    delay.close();
    assert.equal(clock.isWaiting, false);
  });

  it("is seen of a real event loop", async () => {
    const delay = new EventLoopDelay();
    try {
      await sleep(30);
      delay.take();
      const begun = performance.now();
      while (performance.now() - begun < 100);
      await sleep(30);
      // The timer was due within 10 ms, and clocks round to one.
      const { late, computing } = delay.take();
      assert.ok(late.max_ms >= 85, `${late.max_ms}`);
      assert.ok(computing.max_ms > 0, `${computing.max_ms}`);
    } finally {
      delay.close();
    }
  });
});
