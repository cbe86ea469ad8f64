import assert from "node:assert/strict";
import { test } from "node:test";
import { addTallies } from "../../../scripts/test/junit.ts";
import { secondLook } from "../../../scripts/test/second-look.ts";
import type { TestedFile } from "../../../scripts/test/stages.ts";

const { signal } = new AbortController();

/** A file of three tests of which so many fail the first, the second time and so on. */
function fileWith(name: string, [failed = 0, ...later]: number[], order: string[] = []): TestedFile {
  return {
    name,
    passed: 3 - failed,
    failed,
    skipped: 0,
    failures: Array.from({ length: failed }, (_, index) => `${name}: test ${index}`),
    async again() {
      assert.ok(later.length > 0, `${name} was run too often`);
      order.push(`begin ${name}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`end ${name}`);
      return fileWith(name, later, order);
    },
  };
}

test("a file that passes the second time counts as passed, and is told", async () => {
  const { files, unsteady } = await secondLook([fileWith("a", [0]), fileWith("b", [2, 0])], signal);
  assert.deepEqual(addTallies(files), { passed: 6, failed: 0, skipped: 0, failures: [] });
  assert.deepEqual(unsteady, ["b: 2 failed at first, passed alone"]);
});

test("a file that fails twice counts as it failed first, and is not tried a third time", async () => {
  const { files, unsteady } = await secondLook([fileWith("a", [2, 1]), fileWith("b", [0])], signal);
  const failures = ["a: test 0", "a: test 1"];
  assert.deepEqual(addTallies(files), { passed: 4, failed: 2, skipped: 0, failures });
  assert.deepEqual(unsteady, []);
});

test("three files are looked at again, one after the other", async () => {
  const order: string[] = [];
  const all = ["a", "b", "c"].map((name) => fileWith(name, [1, 0], order));
  const { files } = await secondLook(all, signal);
  assert.equal(addTallies(files).failed, 0);
  assert.deepEqual(order, ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
});

test("none of four files is looked at again", async () => {
  const all = ["a", "b", "c", "d"].map((name) => fileWith(name, [1]));
  assert.deepEqual(await secondLook(all, signal), { files: all, unsteady: [] });
});

test("nothing is looked at again once it is to end", async () => {
  const { files } = await secondLook([fileWith("a", [1])], AbortSignal.abort());
  assert.equal(addTallies(files).failed, 1);
});
