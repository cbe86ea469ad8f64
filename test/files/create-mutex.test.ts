import assert from "node:assert/strict";
import { test } from "node:test";
import { createMutex } from "../../src/files/create-mutex.ts";

test("sections run one at a time, in the order they came", async () => {
  const exclusively = createMutex();
  const steps: string[] = [];
  const section = (name: string) => async () => {
    steps.push(`${name} begins`);
    await Promise.resolve();
    steps.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([exclusively(section("a")), exclusively(section("b"))]);
  assert.deepEqual(results, ["a", "b"]);
  assert.deepEqual(steps, ["a begins", "a ends", "b begins", "b ends"]);
});

test("a section that throws gets its error, and the next one runs", async () => {
  const exclusively = createMutex();
  const failing = exclusively(() => Promise.reject(new Error("broken")));
  const next = exclusively(async () => "fine");
  await assert.rejects(failing, /broken/);
  assert.equal(await next, "fine");
});
