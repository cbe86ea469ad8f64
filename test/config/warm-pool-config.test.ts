import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigSchema } from "../../src/config/config-schema.ts";
import type { Machine } from "../../src/config/machine.ts";
import { completeWarmPool } from "../../src/config/warm-pool-config.ts";
import { WarmPool } from "../../src/config/warm-pool-schema.ts";
import { compileSchema } from "../../src/core/schema.ts";

const GIB = 1024;
const SMALL: Machine = { cores: 2, memory_mb: 4 * GIB };
const checker = compileSchema(ConfigSchema);

describe("by default the pool is small beside its machine", () => {
  const cases: [what: string, machine: Machine, max: number, max_memory_mb: number][] = [
    ["two cores and 4 GB", SMALL, 4, 204],
    ["one core and 1 GB, with memory for one sandbox", { cores: 1, memory_mb: GIB }, 2, 51],
    ["so little memory that there is none for a sandbox", { cores: 1, memory_mb: 512 }, 2, 25],
    ["a large machine", { cores: 64, memory_mb: 256 * GIB }, 16, 512],
  ];
  for (const [what, machine, max, max_memory_mb] of cases) {
    test(what, () => {
      const expected = { max, max_memory_mb, max_age_secs: 600, images: [] };
      assert.deepEqual(completeWarmPool(undefined, machine), expected);
      assert.deepEqual(completeWarmPool({}, machine), expected);
    });
  }
});

test("what the file states is taken as it is, zero included", () => {
  const stated = { max: 0, max_memory_mb: 0, max_age_secs: 1, images: ["python:3"] };
  assert.deepEqual(completeWarmPool(stated, SMALL), stated);
});

const KEYS: Record<string, { good: unknown[]; bad: unknown[] }> = {
  max: { good: [0, 1, 256], bad: [-1, 1.5, 257, "4", null] },
  max_memory_mb: { good: [0, 32, 65_536], bad: [-1, 1.5, 2 ** 25, "512", null] },
  max_age_secs: { good: [1, 1.5, 86_400], bad: [0, 0.5, 86_401, "600", null] },
  images: { good: [[], ["python:3"]], bad: ["python:3", null, {}] },
};

test("the table below covers every key", () => {
  assert.deepEqual(Object.keys(KEYS).sort(), Object.keys(WarmPool.properties).sort());
});

describe("each key takes what it should and refuses the rest by its name", () => {
  for (const [key, { good, bad }] of Object.entries(KEYS)) {
    test(`warm_pool.${key}`, () => {
      for (const value of good) assert.equal(checker.complain({ warm_pool: { [key]: value } }), null);
      for (const value of bad) {
        assert.equal(
          checker.complain({ warm_pool: { [key]: value } })?.field,
          `warm_pool.${key}`,
          String(value),
        );
      }
    });
  }
});

test("an unknown key and an empty reference are refused by their names", () => {
  assert.equal(checker.complain({ warm_pool: { size: 1 } })?.field, "warm_pool.size");
  assert.equal(checker.complain({ warm_pool: { images: ["a", ""] } })?.field, "warm_pool.images[1]");
});

test("every key tells what it is for", () => {
  for (const [key, schema] of Object.entries(WarmPool.properties)) {
    assert.ok("description" in schema && schema.description, `${key} has no description`);
  }
});
