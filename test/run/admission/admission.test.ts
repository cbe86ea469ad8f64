import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../../src/core/errors.ts";
import { Admission, type AdmissionLimits } from "../../../src/run/admission/admission.ts";
import { MAX_OVERTAKEN } from "../../../src/run/admission/choose-next.ts";
import { QueueFullError } from "../../../src/run/admission/queue-full-error.ts";
import { countingSignal } from "../../support/counting-signal.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));
const isBoxerError = (code: string) => (error: unknown) => error instanceof BoxerError && error.code === code;

/** One run at the gate, with what became of it. */
interface Visitor {
  readonly name: string;
  readonly memory_mb: number;
  state: "waiting" | "active" | "left" | "refused" | "done";
  error: unknown;
  leave(): void;
  finish(): void;
}

/** An admission and the order in which it lets runs in. */
function gate(limits: Partial<AdmissionLimits> = {}, now?: () => number) {
  const all = { max_concurrent_runs: 1, max_queued_runs: 100, max_reserved_memory_mb: 1000, ...limits };
  const admission = new Admission(all, now);
  const order: string[] = [];
  const enter = (client: string, name = client, memory_mb = 1): Visitor => {
    const controller = new AbortController();
    let release = () => {};
    const visitor: Visitor = {
      name,
      memory_mb,
      state: "waiting",
      error: null,
      leave: () => controller.abort(),
      finish: () => {
        visitor.state = "done";
        release();
      },
    };
    const refused = (error: unknown) => {
      visitor.state = controller.signal.aborted ? "left" : "refused";
      visitor.error = error;
    };
    try {
      const { admitted } = admission.enter({ client, memory_mb, signal: controller.signal });
      void admitted.then((give) => {
        release = give;
        visitor.state = "active";
        order.push(name);
      }, refused);
    } catch (error) {
      refused(error);
    }
    return visitor;
  };
  /** Lets those under way end, one at a time, until nobody is left. */
  const finishAll = async (visitors: readonly Visitor[]) => {
    await settle();
    for (let next = active(visitors); next; next = active(visitors)) {
      next.finish();
      await settle();
    }
  };
  return { admission, enter, order, finishAll };
}

const active = (visitors: readonly Visitor[]) => visitors.find(({ state }) => state === "active");
const EMPTY = { active: 0, queued: 0, reserved_memory_mb: 0 };

test("as many runs as there are slots come at once, one more waits", async () => {
  const { admission, enter, order } = gate({ max_concurrent_runs: 2 });
  for (const name of ["a", "b", "c"]) enter("ada", name);
  await settle();
  assert.deepEqual(order, ["a", "b"]);
  assert.deepEqual(admission.stats, { active: 2, queued: 1, reserved_memory_mb: 2 });
});

test("one client's runs start in the order in which they came", async () => {
  const { admission, enter, order, finishAll } = gate();
  const names = ["a", "b", "c", "d", "e"];
  await finishAll(names.map((name) => enter("ada", name)));
  assert.deepEqual(order, names);
  assert.deepEqual(admission.stats, EMPTY);
});

test("a slot given back goes to who waits, not to who comes in that moment", async () => {
  const { enter, order, finishAll } = gate();
  const first = enter("ada", "first");
  await settle();
  const waiting = enter("bob", "waiting");
  first.finish();
  const late = enter("cem", "late");
  await finishAll([waiting, late]);
  assert.deepEqual(order, ["first", "waiting", "late"]);
});

test("slots given back in the same moment go to different ones", async () => {
  const { admission, enter, finishAll } = gate({ max_concurrent_runs: 2 });
  const visitors = ["a", "b", "c", "d"].map((name) => enter("ada", name));
  await settle();
  for (const visitor of visitors.slice(0, 2)) visitor.finish();
  await settle();
  assert.deepEqual(
    visitors.map(({ state }) => state),
    ["done", "done", "active", "active"],
  );
  await finishAll(visitors);
  assert.deepEqual(admission.stats, EMPTY);
});

test("who has gone before is refused, though a slot is free", () => {
  const { admission } = gate();
  const signal = AbortSignal.abort();
  assert.throws(() => admission.enter({ client: "ada", memory_mb: 1, signal }), isBoxerError("canceled"));
  assert.deepEqual(admission.stats, EMPTY);
});

test("who goes away while waiting frees its place at once and is not given the next slot", async () => {
  const { admission, enter, order, finishAll } = gate();
  const visitors = ["first", "leaver", "stayer"].map((name) => enter("ada", name));
  await settle();
  visitors[1]?.leave();
  assert.equal(admission.stats.queued, 1);
  await settle();
  assert.ok(isBoxerError("canceled")(visitors[1]?.error));
  await finishAll(visitors);
  assert.deepEqual(order, ["first", "stayer"]);
});

test("an abort after the slot was given changes nothing", async () => {
  const { admission, enter } = gate();
  const visitor = enter("ada");
  await settle();
  visitor.leave();
  await settle();
  assert.deepEqual([visitor.state, admission.stats.active], ["active", 1]);
  visitor.finish();
  assert.deepEqual(admission.stats, EMPTY);
});

test("no listener stays on the signal of who was served, has left, was refused or lost its place", async () => {
  const { admission } = gate({ max_queued_runs: 2 });
  const signals = Array.from({ length: 5 }, () => countingSignal());
  const [served, left, lost, refused, pusher] = signals;
  const enter = (client: string, { signal }: { signal: AbortSignal }) =>
    admission.enter({ client, memory_mb: 1, signal });
  if (!served || !left || !lost || !refused || !pusher) return assert.fail();
  const release = await enter("ada", served).admitted;
  const leaving = enter("ada", left).admitted;
  const losing = enter("ada", lost).admitted;
  assert.throws(() => enter("ada", refused), isBoxerError("queue_full"));
  const pushing = enter("bob", pusher).admitted;
  await assert.rejects(losing, isBoxerError("queue_full"));
  left.abort();
  await assert.rejects(leaving, isBoxerError("canceled"));
  release();
  (await pushing)();
  assert.deepEqual(
    signals.map(({ listeners }) => listeners()),
    [0, 0, 0, 0, 0],
  );
});

describe("clients take turns", () => {
  test("one with ten thousand waiting delays another's first run by one turn at most", async () => {
    for (const max_concurrent_runs of [1, 2, 7]) {
      const { enter, order, finishAll } = gate({ max_concurrent_runs, max_queued_runs: 20_000 });
      const flood = Array.from({ length: 10_000 }, () => enter("flood"));
      const one = enter("one");
      await settle();
      const before = order.length;
      for (let starts = 0; one.state === "waiting" && starts < 10; starts += 1) {
        active(flood)?.finish();
        await settle();
      }
      assert.ok(order.indexOf("one") - before <= 1, `${order.indexOf("one") - before} turns`);
      for (const visitor of flood) if (visitor.state === "waiting") visitor.leave();
      await finishAll([...flood, one]);
    }
  });

  test("those who wait are served one by one, whoever has most", async () => {
    const { enter, order, finishAll } = gate();
    const visitors = [enter("zoe")];
    for (const client of ["a", "b", "c"])
      for (let n = 1; n <= 3; n += 1) visitors.push(enter(client, `${client}${n}`));
    await finishAll(visitors);
    assert.deepEqual(order, ["zoe", "a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"]);
  });

  test("who has fewest runs under way comes first", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 3 });
    const running = [enter("a", "a1"), enter("a", "a2"), enter("b", "b1")];
    enter("a", "a3");
    enter("b", "b2");
    enter("c", "c1");
    await settle();
    running[2]?.finish();
    await settle();
    running[1]?.finish();
    await settle();
    assert.deepEqual(order, ["a1", "a2", "b1", "b2", "c1"]);
  });

  test("who has runs under way is not passed over forever by those who have none", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 2 });
    enter("a", "long");
    let running = enter("x0");
    enter("a", "waiting");
    for (let n = 1; n <= MAX_OVERTAKEN + 2; n += 1) {
      const next = enter(`x${n}`);
      await settle();
      running.finish();
      await settle();
      running = next;
      if (order.includes("waiting")) break;
    }
    assert.equal(order.indexOf("waiting"), 2 + MAX_OVERTAKEN);
  });
});

describe("memory", () => {
  test("a run waits until its memory is free, though a slot is", async () => {
    const { admission, enter, order } = gate({ max_concurrent_runs: 5, max_reserved_memory_mb: 100 });
    const first = enter("a", "first", 60);
    enter("a", "second", 50);
    await settle();
    assert.deepEqual(admission.stats, { active: 1, queued: 1, reserved_memory_mb: 60 });
    first.finish();
    await settle();
    assert.deepEqual(order, ["first", "second"]);
    assert.equal(admission.stats.reserved_memory_mb, 50);
  });

  test("a small one of another client may pass a big one that does not fit, one of the same client may not", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 5, max_reserved_memory_mb: 100 });
    enter("a", "first", 60);
    enter("a", "big", 50);
    enter("a", "small of the same", 1);
    enter("b", "small", 1);
    await settle();
    assert.deepEqual(order, ["first", "small"]);
  });

  test("small ones do not pass a big one forever", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 2, max_reserved_memory_mb: 100 });
    let running = enter("small", "s", 50);
    await settle();
    enter("big", "big", 100);
    for (let n = 0; n < 2 * MAX_OVERTAKEN && !order.includes("big"); n += 1) {
      const next = enter("small", "s", 50);
      await settle();
      running.finish();
      await settle();
      running = next.state === "active" ? next : running;
      if (next.state === "waiting") break;
    }
    await settle();
    assert.equal(order.indexOf("big"), 1 + MAX_OVERTAKEN);
  });

  test("who keeps the memory that its own big run waits for holds nobody else up", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 5, max_reserved_memory_mb: 100 });
    const long = enter("a", "long", 1);
    enter("a", "big", 100);
    await settle();
    const starts = 2 * MAX_OVERTAKEN;
    for (let n = 0; n < starts; n += 1) {
      const small = enter("b", "small", 1);
      await settle();
      small.finish();
      await settle();
    }
    assert.equal(order.filter((name) => name === "small").length, starts);
    const running = enter("b", "small", 1);
    await settle();
    long.finish();
    await settle();
    enter("c", "late", 1);
    await settle();
    assert.ok(!order.includes("late"), "it has nothing under way any more, and has waited long enough");
    running.finish();
    await settle();
    assert.deepEqual(order.slice(-1), ["big"]);
  });

  test("when the one that holds the others up leaves, they start", async () => {
    const { enter, order } = gate({ max_concurrent_runs: 5, max_reserved_memory_mb: 100 });
    enter("a", "first", 60);
    const big = enter("a", "big", 50);
    enter("a", "small", 10);
    await settle();
    big.leave();
    await settle();
    assert.deepEqual(order, ["first", "small"]);
  });
});

describe("a full queue", () => {
  test("refuses at once, tells how busy it is, and takes again when one has left", async () => {
    let now = 0;
    const { enter, finishAll } = gate({ max_queued_runs: 2 }, () => now);
    const slow = enter("ada");
    await settle();
    now = 8000;
    slow.finish();
    const visitors = [1, 2, 3].map(() => enter("ada"));
    const refused = enter("ada");
    assert.equal(refused.state, "refused", "in the same moment");
    assert.ok(refused.error instanceof QueueFullError);
    assert.deepEqual(refused.error.busy, { active: 1, queue_length: 2, retry_after_secs: 24 });
    visitors[2]?.leave();
    await settle();
    const late = enter("ada");
    assert.equal(late.state, "waiting");
    await finishAll([...visitors, late]);
  });

  test("without places to wait the slots themselves can still be had", async () => {
    const { admission, enter } = gate({ max_queued_runs: 0 });
    const first = enter("ada");
    assert.equal(enter("bob").state, "refused");
    await settle();
    first.finish();
    const second = enter("bob");
    await settle();
    assert.equal(second.state, "active");
    assert.equal(admission.stats.queued, 0);
  });

  test("gives a place of who has most of it to who has less, the newest first", async () => {
    const { admission, enter, finishAll, order } = gate({ max_queued_runs: 4 });
    const flood = Array.from({ length: 5 }, (_, n) => enter("flood", `f${n}`));
    const visitors = [enter("one", "o1"), enter("one", "o2")];
    await settle();
    assert.deepEqual(
      [...flood, ...visitors].map(({ state }) => state),
      ["active", "waiting", "waiting", "refused", "refused", "waiting", "waiting"],
    );
    assert.ok(isBoxerError("queue_full")(flood[4]?.error));
    assert.equal(admission.stats.queued, 4);
    assert.equal(enter("one").state, "refused", "no more than the other has");
    await finishAll([...flood, ...visitors]);
    assert.deepEqual(order, ["f0", "f1", "o1", "f2", "o2"]);
  });

  test("takes no place from who has just as many", async () => {
    const { enter } = gate({ max_queued_runs: 3 });
    enter("zoe");
    const others = [enter("a"), enter("a"), enter("b")];
    assert.equal(enter("b").state, "refused");
    await settle();
    assert.deepEqual(
      others.map(({ state }) => state),
      ["waiting", "waiting", "waiting"],
    );
  });

  test("where each has one place refuses who comes, whoever it is", async () => {
    const { enter } = gate({ max_queued_runs: 2 });
    for (const client of ["a", "b", "c"]) enter(client);
    assert.equal(enter("d").state, "refused");
    assert.equal(enter("b").state, "refused");
  });
});

describe("whatever comes in whatever order, nothing is exceeded, lost or kept", () => {
  for (let seed = 1; seed <= 40; seed += 1) test(`seed ${seed}`, () => tryAtRandom(seed));
});

/** Runs of few clients come, leave and end in an order that the seed gives; the bounds are looked at after each step. */
async function tryAtRandom(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  const limits = {
    max_concurrent_runs: upTo(5),
    max_queued_runs: upTo(12) - 1,
    max_reserved_memory_mb: 100,
  };
  const { admission, enter, order, finishAll } = gate(limits);
  const visitors: (Visitor & { client: string })[] = [];
  const inState = (state: Visitor["state"]) => visitors.filter((visitor) => visitor.state === state);
  for (let step = 0; step < 300; step += 1) {
    const dice = random();
    if (dice < 0.5) {
      const client = `c${upTo(4)}`;
      const memory_mb = random() < 0.2 ? 100 : upTo(50);
      const visitor = enter(client, `${visitors.length}`, memory_mb);
      visitors.push(Object.assign(visitor, { client }));
    } else {
      const group = inState(dice < 0.85 ? "active" : "waiting");
      const one = group[upTo(group.length) - 1];
      if (dice < 0.85) one?.finish();
      else one?.leave();
    }
    await settle();
    const [running, waiting] = [inState("active"), inState("waiting")];
    const reserved_memory_mb = running.reduce((sum, { memory_mb }) => sum + memory_mb, 0);
    assert.deepEqual(admission.stats, { active: running.length, queued: waiting.length, reserved_memory_mb });
    assert.ok(running.length <= limits.max_concurrent_runs);
    assert.ok(waiting.length <= limits.max_queued_runs);
    assert.ok(reserved_memory_mb <= limits.max_reserved_memory_mb);
    assert.ok(running.length > 0 || waiting.length === 0, "somebody waits for nothing");
  }
  await finishAll(visitors);
  assert.deepEqual([inState("waiting"), inState("active")], [[], []]);
  assert.deepEqual(admission.stats, EMPTY);
  for (const client of new Set(visitors.map((visitor) => visitor.client))) {
    const numbers = order.map(Number).filter((n) => visitors[n]?.client === client);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      "within one client as they came",
    );
  }
}

test("every line is served after a bounded number of starts, whatever the others ask for", async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = seededRandom(seed);
    const { enter, order } = gate({ max_concurrent_runs: 4, max_reserved_memory_mb: 100 });
    const others: Visitor[] = [];
    const come = () =>
      others.push(enter(`c${Math.floor(random() * 5)}`, "other", 1 + Math.floor(random() * 60)));
    for (let n = 0; n < 20; n += 1) come();
    await settle();
    const before = order.length;
    const big = enter("big", "big", 100);
    for (let n = 0; n < 200 && big.state === "waiting"; n += 1) {
      come();
      others.find(({ state }) => state === "active")?.finish();
      await settle();
    }
    assert.equal(big.state, "active");
    const lines = 6;
    assert.ok(
      order.indexOf("big") - before <= lines + MAX_OVERTAKEN,
      `${order.indexOf("big") - before} starts`,
    );
  }
});
