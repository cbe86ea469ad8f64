import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IDLE_MB } from "../../../src/sandbox/warm-pool/warm-pool.ts";
import { FakePool, settled, shapeOf } from "./support/fake-pool.ts";

const A = shapeOf("a");
const B = shapeOf("b");
const MINUTE_MS = 60_000;

/** A pool that holds so many of A, because they are wanted. */
async function poolWith(count: number, limits: ConstructorParameters<typeof FakePool>[0] = {}) {
  const fake = new FakePool(limits);
  fake.pool.want(A, count);
  const sandboxes = await fake.bootAll();
  assert.equal(fake.pool.stats().ready, count);
  return { fake, sandboxes };
}

describe("what is booted", () => {
  test("nothing for an image that is used once", async () => {
    const fake = new FakePool();
    await fake.run(A);
    assert.deepEqual(fake.begun, []);
  });

  test("one after the second request, when the run has ended", async () => {
    const fake = new FakePool();
    await fake.run(A);
    assert.equal(await fake.pool.take(A), null);
    assert.deepEqual(fake.begun, []);
    fake.pool.poke();
    await fake.bootAll();
    assert.deepEqual(fake.begun, ["a"]);
    assert.deepEqual(fake.pool.stats().misses, 2);
  });

  test("as many as there may be for a burst of one shape", async () => {
    const fake = new FakePool({ max: 3 });
    fake.spare = 0;
    for (let n = 0; n < 20; n += 1) await fake.run(A);
    fake.spare = 1;
    fake.pool.poke();
    await fake.bootAll();
    assert.deepEqual(fake.pool.stats().ready, 3);
  });

  test("what is wanted, before any request", async () => {
    const { fake, sandboxes } = await poolWith(2);
    assert.equal(await fake.pool.take(A), sandboxes[0]);
  });

  test("again what was taken", async () => {
    const { fake } = await poolWith(1);
    await fake.run(A);
    await fake.bootAll();
    assert.deepEqual(fake.begun, ["a", "a"]);
  });

  test("nothing by a pool that may hold none", async () => {
    for (const limits of [{ max: 0 }, { max_memory_mb: IDLE_MB - 1 }]) {
      const fake = new FakePool(limits);
      fake.pool.want(A, 1);
      await fake.run(A);
      assert.deepEqual(fake.begun, []);
    }
  });

  test("no more than there is memory for", async () => {
    const fake = new FakePool({ max: 9, max_memory_mb: 3 * IDLE_MB - 1 });
    fake.pool.want(A, 9);
    await fake.bootAll();
    assert.deepEqual([fake.pool.stats().ready, fake.pool.stats().memory_mb], [2, 2 * IDLE_MB]);
  });

  test("another shape in the place of one that has many", async () => {
    const { fake, sandboxes } = await poolWith(4);
    fake.pool.want(A, 0);
    fake.pool.want(B, 1);
    assert.ok(sandboxes[0]?.discarding);
    await settled();
    await fake.bootAll();
    assert.deepEqual(fake.begun.at(-1), "b");
    assert.equal(sandboxes.filter(({ discarding }) => discarding).length, 1);
    assert.equal(fake.pool.stats().ready, 4);
  });

  test("another only when the one in its place is gone", async () => {
    const { fake, sandboxes } = await poolWith(4);
    fake.slowDiscards = true;
    fake.pool.want(A, 0);
    fake.pool.want(B, 1);
    fake.pool.poke();
    await settled();
    assert.deepEqual([fake.boots.length, fake.pool.stats().memory_mb], [0, 4 * IDLE_MB]);
    assert.equal(sandboxes.filter(({ discarding }) => discarding).length, 1);
    sandboxes[0]?.discarding?.resolve();
    await settled();
    assert.deepEqual(fake.begun.at(-1), "b");
  });
});

describe("runs are not delayed", () => {
  test("nothing boots while there is no CPU to spare", async () => {
    const fake = new FakePool();
    fake.spare = 0;
    fake.pool.want(A, 4);
    fake.pool.poke();
    assert.deepEqual(fake.begun, []);
    fake.spare = 1;
    fake.pool.poke();
    assert.deepEqual(fake.begun, ["a"]);
  });

  test("a boot goes on when a run comes, and no other follows", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 4);
    fake.spare = 0;
    assert.equal(fake.boots[0]?.signal.aborted, false);
    await fake.bootAll();
    assert.deepEqual([fake.begun.length, fake.pool.stats().ready], [1, 1]);
  });

  test("as many boot at once as there is CPU to spare, and no more", () => {
    const fake = new FakePool();
    fake.spare = 2;
    fake.pool.want(A, 4);
    fake.pool.poke();
    assert.equal(fake.boots.length, 2);
  });

  test("to take one boots none", async () => {
    const { fake } = await poolWith(1);
    await fake.pool.take(A);
    assert.deepEqual(fake.begun, ["a"]);
  });
});

describe("what is handed over", () => {
  test("the oldest first, each once, and none when it is dry", async () => {
    const { fake, sandboxes } = await poolWith(2);
    const taken = await Promise.all([1, 2, 3].map(() => fake.pool.take(A)));
    assert.deepEqual(taken, [...sandboxes, null]);
    const { hits, misses, discarded } = fake.pool.stats();
    assert.deepEqual([hits, misses, discarded], [2, 1, 0]);
  });

  test("only one of the very same shape", async () => {
    const { fake } = await poolWith(1);
    assert.equal(await fake.pool.take(shapeOf("a", 512)), null);
    assert.equal(await fake.pool.take(B), null);
    assert.ok(await fake.pool.take(A));
  });

  test("none that ends afterwards is the pool's any more", async () => {
    const { fake, sandboxes } = await poolWith(1);
    await fake.pool.take(A);
    sandboxes[0]?.die();
    await settled();
    await fake.pool.close();
    assert.equal(sandboxes[0]?.discarding, undefined);
    assert.equal(fake.pool.stats().failed, 0);
  });
});

describe("a boot that a run comes to wait for", () => {
  /** A pool in which one of A boots, and a run waits for it. */
  async function claimed(spare = 0) {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    const [boot] = fake.boots;
    assert.ok(boot);
    fake.spare = spare;
    const taken = fake.pool.take(A);
    await settled();
    return { fake, boot, taken };
  }

  test("is told so, and given to that run as soon as it is there", async () => {
    const { fake, boot, taken } = await claimed();
    assert.equal(boot.isClaimed, true);
    const sandbox = await boot.succeed();
    assert.equal(await taken, sandbox);
    const { hits, misses, ready } = fake.pool.stats();
    assert.deepEqual([hits, misses, ready], [1, 0, 0]);
  });

  test("is the first to begin of its very shape, and no other run's", async () => {
    const fake = new FakePool();
    fake.spare = 3;
    fake.pool.want(B, 1);
    fake.pool.want(A, 2);
    fake.spare = 0;
    const taken = [A, A, A, shapeOf("a", 512)].map((shape) => fake.pool.take(shape));
    assert.deepEqual(await Promise.all(taken.slice(2)), [null, null]);
    assert.deepEqual(
      fake.boots.map(({ isClaimed }) => isClaimed),
      [false, true, true],
    );
    const [, first, second] = await fake.bootAll();
    assert.deepEqual(await Promise.all(taken.slice(0, 2)), [first, second]);
    assert.deepEqual([fake.pool.stats().ready, fake.pool.stats().misses], [1, 2]);
  });

  test("none is while one waits that has been booted", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.pool.want(A, 2);
    assert.equal(await fake.pool.take(A), sandboxes[0]);
    assert.equal(fake.boots[0]?.isClaimed, false);
  });

  test("takes no room in the pool any more: another begins ahead, where there is CPU to spare", async () => {
    for (const spare of [0, 1]) {
      const { fake } = await claimed(spare);
      assert.equal(fake.boots.length, 1 + spare);
      assert.equal(fake.pool.stats().booting, spare);
      assert.equal(fake.pool.stats().memory_mb, spare * IDLE_MB);
    }
  });

  test("fails as any other: the run boots its own, and the shape is tried after a pause", async () => {
    const { fake, boot, taken } = await claimed();
    await boot.fail(new Error("no"));
    assert.equal(await taken, null);
    assert.deepEqual([fake.pool.stats().misses, fake.pool.stats().failed], [1, 1]);
    fake.spare = 1;
    fake.pool.poke();
    assert.equal(fake.boots.length, 0);
    await fake.clock.pass(1000);
    assert.equal(fake.boots.length, 1);
  });

  test("goes on for its run when its image goes or the pool is closed, which both wait for that", async () => {
    for (const end of ["drop", "close"] as const) {
      const { fake, boot, taken } = await claimed();
      let isOver = false;
      const over = fake.pool[end](() => true).then(() => {
        isOver = true;
      });
      await settled();
      assert.deepEqual([boot.signal.aborted, isOver], [false, false]);
      const sandbox = await boot.succeed();
      assert.equal(await taken, sandbox);
      await over;
      assert.equal(sandbox.discarding, undefined);
    }
  });

  test("none is that has been stopped", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    void fake.pool.drop(() => true);
    assert.equal(await fake.pool.take(A), null);
  });
});

describe("age", () => {
  test("what is too old is discarded, and replaced while it is wanted", async () => {
    const { fake, sandboxes } = await poolWith(1);
    await fake.clock.pass(10 * MINUTE_MS - 1);
    assert.equal(sandboxes[0]?.discarding, undefined);
    await fake.clock.pass(1);
    assert.ok(sandboxes[0]?.discarding);
    assert.deepEqual(fake.begun, ["a", "a"]);
  });

  test("what nobody asks for any more ages out and is not replaced", async () => {
    const fake = new FakePool();
    await fake.run(A);
    await fake.run(A);
    await fake.bootAll();
    assert.equal(fake.pool.stats().ready, 1);
    for (let n = 0; n < 6; n += 1) {
      await fake.clock.pass(10 * MINUTE_MS);
      await fake.bootAll();
    }
    assert.equal(fake.pool.stats().ready, 0);
    assert.ok(fake.begun.length < 4, `${fake.begun.length} boots`);
    assert.equal(fake.clock.timers, 0);
  });

  test("what is too old goes also while there is no CPU to spare", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.spare = 0;
    await fake.clock.pass(10 * MINUTE_MS);
    assert.ok(sandboxes[0]?.discarding);
    assert.equal(fake.pool.stats().ready, 0);
  });

  test("what is too old is not handed over, though the timer is late", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.clock.now = () => 10 * MINUTE_MS;
    assert.equal(await fake.pool.take(A), null);
    assert.ok(sandboxes[0]?.discarding);
  });
});

describe("failures", () => {
  test("a shape that cannot be booted is tried after a pause that grows, and told of once", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    for (const pause_ms of [1000, 2000, 4000]) {
      await fake.boots[0]?.fail(new Error("no"));
      fake.pool.poke();
      await fake.clock.pass(pause_ms - 1);
      assert.equal(fake.boots.length, 0);
      await fake.clock.pass(1);
      assert.equal(fake.boots.length, 1);
    }
    assert.deepEqual(
      fake.logged.map(([level]) => level),
      ["warn", "debug", "debug"],
    );
    assert.deepEqual(fake.logged[0]?.[1], { image: "a", reason: "no" });
    assert.equal(fake.pool.stats().failed, 3);
  });

  test("a pause that ends while the pool looks wakes it all the same", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    await fake.boots[0]?.fail(new Error("no"));
    const { clock } = fake;
    const now = clock.now.bind(clock);
    let looks = 0;
    clock.now = () => 999 + looks++;
    fake.pool.poke();
    clock.now = now;
    await clock.pass(2000);
    assert.equal(fake.boots.length, 1);
  });

  test("a shape that cannot be booted keeps no other from being", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    fake.pool.want(B, 1);
    await fake.boots[0]?.fail(new Error("no"));
    await fake.bootAll();
    assert.deepEqual(fake.begun, ["a", "b"]);
  });

  test("a boot that throws instead of rejecting is a failure like any other", async () => {
    const fake = new FakePool();
    fake.boots.push = () => {
      throw new Error("at once");
    };
    fake.pool.want(A, 1);
    assert.deepEqual([fake.pool.stats().failed, fake.pool.stats().booting], [1, 0]);
  });

  test("a sandbox that ends by itself is given to nobody, given back, and counts as a failure", async () => {
    for (const error of [undefined, new Error("killed")]) {
      const { fake, sandboxes } = await poolWith(1);
      sandboxes[0]?.die(error);
      await settled();
      assert.equal(await fake.pool.take(A), null);
      assert.ok(sandboxes[0]?.discarding);
      assert.deepEqual([fake.pool.stats().failed, fake.boots.length], [1, 0]);
      await fake.clock.pass(1000);
      assert.equal(fake.boots.length, 1);
    }
  });

  test("sandboxes that boot well and end soon are tried less and less", async () => {
    const { fake, sandboxes } = await poolWith(1);
    sandboxes[0]?.die();
    await fake.clock.pass(1000);
    (await fake.boots[0]?.succeed())?.die();
    await fake.clock.pass(1999);
    assert.equal(fake.boots.length, 0);
    await fake.clock.pass(1);
    assert.equal(fake.boots.length, 1);
  });

  test("a sandbox that grows old ends the row of failures", async () => {
    const fake = new FakePool({ max_age_secs: 60 });
    fake.pool.want(A, 1);
    await fake.boots[0]?.fail(new Error("no"));
    await fake.clock.pass(1000);
    await fake.bootAll();
    await fake.clock.pass(MINUTE_MS);
    await fake.boots[0]?.fail(new Error("again"));
    assert.deepEqual(
      fake.logged.map(([level]) => level),
      ["warn", "warn"],
    );
  });

  test("a run that gets one ends the row of failures", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    await fake.boots[0]?.fail(new Error("no"));
    await fake.clock.pass(1000);
    await fake.bootAll();
    await fake.run(A);
    await fake.boots[0]?.fail(new Error("again"));
    assert.deepEqual(
      fake.logged.map(([level]) => level),
      ["warn", "warn"],
    );
  });

  test("a sandbox that cannot be discarded is told of and takes no room", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.slowDiscards = true;
    const dropped = fake.pool.drop(() => true);
    sandboxes[0]?.discarding?.reject(new Error("stuck"));
    await dropped;
    assert.deepEqual(
      fake.logged.map(([level]) => level),
      ["error"],
    );
    assert.equal(fake.pool.stats().memory_mb, 0);
  });
});

describe("an image that changes", () => {
  const isA = ({ image }: { image: string }) => image === "a";

  test("takes its sandboxes with it, and no others", async () => {
    const { fake, sandboxes } = await poolWith(2);
    fake.pool.want(B, 1);
    await fake.bootAll();
    await fake.pool.drop(isA);
    assert.ok(sandboxes.every(({ discarding }) => discarding));
    assert.equal(await fake.pool.take(A), null);
    assert.ok(await fake.pool.take(B));
  });

  test("is not booted again unless it is asked for anew", async () => {
    const { fake } = await poolWith(1);
    await fake.pool.drop(isA);
    await fake.run(A);
    assert.deepEqual(fake.begun, ["a"]);
  });

  test("may be booted anew while what was stopped still goes", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    const dropped = fake.pool.drop(isA);
    fake.spare = 2;
    fake.pool.want(A, 1);
    assert.deepEqual(
      fake.boots.map(({ signal }) => signal.aborted),
      [true, false],
    );
    await fake.boots[0]?.fail(new Error("aborted"));
    await dropped;
    await fake.bootAll();
    assert.equal(fake.pool.stats().ready, 1);
  });

  test("has its failures forgotten", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    await fake.boots[0]?.fail(new Error("no"));
    await fake.pool.drop(isA);
    fake.pool.want(A, 1);
    assert.equal(fake.boots.length, 1);
  });

  test("stops its boots, and discards what they give all the same", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    const boot = fake.boots[0];
    const dropped = fake.pool.drop(isA);
    assert.equal(boot?.signal.aborted, true);
    const sandbox = await boot.succeed();
    await dropped;
    assert.ok(sandbox.discarding);
    assert.deepEqual([fake.pool.stats().ready, await fake.pool.take(A)], [0, null]);
  });

  test("whose boot is stopped has not failed", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    const dropped = fake.pool.drop(isA);
    await fake.boots[0]?.fail(new Error("aborted"));
    await dropped;
    assert.deepEqual([fake.pool.stats().failed, fake.logged], [0, []]);
  });

  test("is gone when that is told, and waits for no other", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.slowDiscards = true;
    fake.pool.want(B, 1);
    let isGone = false;
    const dropped = fake.pool.drop(isA).then(() => {
      isGone = true;
    });
    await settled();
    assert.equal(isGone, false);
    sandboxes[0]?.discarding?.resolve();
    await dropped;
    assert.equal(fake.boots.length, 1);
  });
});

describe("a closed pool", () => {
  test("has discarded all, and neither gives nor boots any", async () => {
    const { fake, sandboxes } = await poolWith(2);
    await fake.pool.close();
    assert.ok(sandboxes.every(({ discarding }) => discarding));
    assert.equal(fake.clock.timers, 0);
    for (let n = 0; n < 3; n += 1) assert.equal(await fake.run(A), null);
    fake.pool.want(B, 1);
    await fake.clock.pass(60 * MINUTE_MS);
    assert.deepEqual([fake.begun, fake.clock.timers], [["a", "a"], 0]);
  });

  test("is closed when boots under way have ended and what they gave is discarded", async () => {
    const fake = new FakePool();
    fake.pool.want(A, 1);
    let isClosed = false;
    const closed = fake.pool.close().then(() => {
      isClosed = true;
    });
    const [boot] = fake.boots;
    assert.equal(boot?.signal.aborted, true);
    fake.slowDiscards = true;
    const sandbox = await boot.succeed();
    assert.equal(isClosed, false);
    sandbox.discarding?.resolve();
    await closed;
    assert.equal(fake.pool.stats().memory_mb, 0);
  });

  test("can be closed twice", async () => {
    const { fake, sandboxes } = await poolWith(1);
    fake.slowDiscards = true;
    const both = Promise.all([fake.pool.close(), fake.pool.close()]);
    sandboxes[0]?.discarding?.resolve();
    await both;
  });
});
