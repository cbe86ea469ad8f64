import assert from "node:assert/strict";
import { test } from "node:test";
import type { BootShape } from "../../../src/sandbox/warm-pool/boot-shape.ts";
import { Demand, HALF_LIFE_MS, MAX_SHAPES } from "../../../src/sandbox/warm-pool/demand.ts";
import { shapeOf } from "./support/fake-pool.ts";

const A = shapeOf("a");
const B = shapeOf("b");

function demandOf(...requests: [shape: BootShape, at_ms: number][]): Demand {
  const demand = new Demand();
  for (const [shape, at_ms] of requests) demand.note(shape, at_ms);
  return demand;
}

/** The images that are worth it, and how many of each. */
function worth(demand: Demand, now_ms: number): [string, number][] {
  return demand.candidates(now_ms).map(({ shape, most }) => [shape.image, most]);
}

test("an image used once is not worth booting", () => {
  assert.deepEqual(worth(demandOf([A, 0]), 0), []);
});

test("a second request within the half-life makes a shape worth one, a later one does not", () => {
  assert.deepEqual(worth(demandOf([A, 0], [A, HALF_LIFE_MS]), HALF_LIFE_MS), [["a", 1]]);
  const late_ms = HALF_LIFE_MS + 1;
  assert.deepEqual(worth(demandOf([A, 0], [A, late_ms]), late_ms), []);
});

test("the more a shape is asked for, the more are worth it", () => {
  const burst = Array.from({ length: 12 }, (): [BootShape, number] => [A, 0]);
  assert.deepEqual(worth(demandOf(...burst), 0), [["a", 8]]);
  assert.deepEqual(worth(demandOf(...burst), HALF_LIFE_MS), [["a", 4]]);
});

test("a shape stays worth one for a while without requests, and is forgotten after", () => {
  const demand = demandOf([A, 0], [A, 0]);
  assert.deepEqual(worth(demand, 3 * HALF_LIFE_MS), [["a", 1]]);
  assert.deepEqual(worth(demand, 3 * HALF_LIFE_MS + 1), []);
  assert.equal(demand.size, 0);
});

test("what differs in its memory is asked for by itself", () => {
  assert.deepEqual(worth(demandOf([shapeOf("a", 1), 0], [shapeOf("a", 2), 0]), 0), []);
});

test("what is wanted is worth it without any request, and as long as it is wanted", () => {
  const demand = new Demand();
  demand.want(A, 2, 0);
  assert.deepEqual(worth(demand, 0), [["a", 2]]);
  assert.deepEqual(worth(demand, 1000 * HALF_LIFE_MS), [["a", 2]]);
  demand.want(A, 0, 1000 * HALF_LIFE_MS);
  assert.deepEqual(worth(demand, 1000 * HALF_LIFE_MS), []);
});

test("requests for what is wanted can make it worth more, and not less", () => {
  const demand = new Demand();
  demand.want(A, 2, 0);
  demand.note(A, 0);
  demand.note(A, 0);
  assert.deepEqual(worth(demand, 0), [["a", 2]]);
  for (let more = 0; more < 4; more += 1) demand.note(A, 0);
  assert.deepEqual(worth(demand, 0), [["a", 4]]);
});

test("shapes can be forgotten, wanted ones too", () => {
  const demand = demandOf([A, 0], [A, 0], [B, 0], [B, 0]);
  demand.want(A, 1, 0);
  demand.forget(({ image }) => image === "a");
  assert.deepEqual(worth(demand, 0), [["b", 1]]);
});

test("a flood of shapes that come once each takes no more memory and displaces nothing in demand", () => {
  const demand = demandOf([A, 0], [A, 0]);
  demand.want(B, 1, 0);
  for (let memory_mb = 1; memory_mb <= 100_000; memory_mb += 1)
    demand.note(shapeOf("flood", memory_mb), memory_mb);
  assert.equal(demand.size, MAX_SHAPES + 1);
  assert.deepEqual(worth(demand, 100_000), [
    ["a", 1],
    ["b", 1],
  ]);
});
