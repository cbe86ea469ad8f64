import assert from "node:assert/strict";
import { test } from "node:test";
import { CleanupStack } from "../../src/core/cleanup-stack.ts";

/** A stack that notes what it is told of failing undos. */
function stackWithErrors() {
  const errors: { label: string; error: unknown }[] = [];
  return { errors, cleanup: new CleanupStack((label, error) => errors.push({ label, error })) };
}

test("undoes the newest first, each after the one before it has ended", async () => {
  const { cleanup, errors } = stackWithErrors();
  const seen: string[] = [];
  for (const name of ["first", "second", "third"]) {
    cleanup.defer(name, async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} ends`);
    });
  }
  await cleanup.run();
  assert.deepEqual(seen, [
    "third begins",
    "third ends",
    "second begins",
    "second ends",
    "first begins",
    "first ends",
  ]);
  assert.deepEqual(errors, []);
});

test("an undo that throws or rejects is reported by its label, and the others still run", async () => {
  const { cleanup, errors } = stackWithErrors();
  const seen: string[] = [];
  const thrown = new Error("thrown");
  const rejected = new Error("rejected");
  cleanup.defer("oldest", () => seen.push("oldest"));
  cleanup.defer("throwing", () => {
    throw thrown;
  });
  cleanup.defer("middle", () => seen.push("middle"));
  cleanup.defer("rejecting", () => Promise.reject(rejected));
  await cleanup.run();
  assert.deepEqual(seen, ["middle", "oldest"]);
  assert.deepEqual(errors, [
    { label: "rejecting", error: rejected },
    { label: "throwing", error: thrown },
  ]);
});

test("an undo registered while the others run is run as well, before the older ones", async () => {
  const { cleanup } = stackWithErrors();
  const seen: string[] = [];
  cleanup.defer("older", () => seen.push("older"));
  cleanup.defer("newer", async () => {
    await Promise.resolve();
    cleanup.defer("meanwhile", () => seen.push("meanwhile"));
    seen.push("newer");
  });
  await cleanup.run();
  assert.deepEqual(seen, ["newer", "meanwhile", "older"]);
});

test("each undo runs once, however often the stack is run", async () => {
  const { cleanup } = stackWithErrors();
  let runs = 0;
  cleanup.defer("a", () => ++runs);
  cleanup.defer("b", () => ++runs);
  await Promise.all([cleanup.run(), cleanup.run()]);
  await cleanup.run();
  assert.equal(runs, 2);
});

test("running an empty stack does nothing", async () => {
  const { cleanup, errors } = stackWithErrors();
  await cleanup.run();
  assert.deepEqual(errors, []);
});

test("an undo that fails for want of descriptors is tried again, others are not", async () => {
  const exhausted = Object.assign(new Error("EMFILE: too many"), { code: "EMFILE" });
  const failed: string[] = [];
  const stack = new CleanupStack((label) => failed.push(label));
  const tries = { patient: 0, broken: 0 };
  stack.defer("patient", () => {
    tries.patient += 1;
    if (tries.patient < 3) throw exhausted;
  });
  stack.defer("broken", () => {
    tries.broken += 1;
    throw new Error("broken");
  });
  await stack.run();
  assert.deepEqual([tries, failed], [{ patient: 3, broken: 1 }, ["broken"]]);
});
