import assert from "node:assert/strict";
import { test } from "node:test";
import type { Candidate } from "../../../src/sandbox/warm-pool/divide-slots.ts";
import { type Holdings, nextStep } from "../../../src/sandbox/warm-pool/next-step.ts";
import { shapeOf } from "./support/fake-pool.ts";

const A = candidate("a", 40);
const B = candidate("b", 10);

function candidate(key: string, score: number): Candidate {
  return { key, shape: shapeOf(key), score, wanted: 0, most: 100 };
}

/** @param waiting a letter for each sandbox that waits, the oldest first */
function holdings(slots: number, waiting: string, booting = ""): Holdings {
  const held = new Map<string, number>();
  for (const key of waiting + booting) held.set(key, (held.get(key) ?? 0) + 1);
  return { slots, taken: waiting.length + booting.length, held, waiting: [...waiting] };
}

const never = () => false;

test("an empty pool begins with what is asked for most", () => {
  assert.deepEqual(nextStep([B, A], holdings(4, ""), never), { boot: A });
});

test("what boots already counts as there", () => {
  assert.deepEqual(nextStep([A, B], holdings(4, "", "a"), never), { boot: B });
});

test("a pool that has what it should does nothing", () => {
  assert.equal(nextStep([A, B], holdings(4, "aaab"), never), null);
  assert.equal(nextStep([], holdings(4, "ab"), never), null);
});

test("a shape that cannot be booted is passed over, and its slots stay its own", () => {
  assert.deepEqual(
    nextStep([A, B], holdings(4, ""), (key) => key === "a"),
    { boot: B },
  );
  assert.equal(
    nextStep([A, B], holdings(4, "b"), (key) => key === "a"),
    null,
  );
});

test("a full pool gives up one of a shape that has too many", () => {
  assert.deepEqual(nextStep([A, B], holdings(4, "aaaa"), never), { discard: "a" });
});

test("a full pool gives up first what nobody asks for any more", () => {
  assert.deepEqual(nextStep([A, B, candidate("c", 1)], holdings(4, "aaax"), never), { discard: "x" });
});

test("a full pool gives up nothing that is within its share", () => {
  const candidates = [A, candidate("c", 2), candidate("d", 1)];
  assert.deepEqual(nextStep(candidates, holdings(3, "daa"), never), { discard: "a" });
});

test("a full pool gives up nothing for what is hardly asked for more", () => {
  assert.equal(nextStep([A, candidate("c", 39)], holdings(1, "c"), never), null);
});

test("what still boots is not given up", () => {
  assert.equal(nextStep([A, B], holdings(4, "", "aaaa"), never), null);
});
