import assert from "node:assert/strict";
import { test } from "node:test";
import { interleave } from "../../../scripts/bench/interleave.ts";

/** Contenders that note who was asked, and measure how often they were. */
function noting(names: readonly string[]) {
  const asked: string[] = [];
  const contenders = names.map((name) => ({
    name,
    measure: async () => {
      asked.push(name);
      return asked.filter((each) => each === name).length;
    },
  }));
  return { asked, contenders };
}

test("contenders take turns, and each round begins with another one", async () => {
  const { asked, contenders } = noting(["a", "b", "c"]);
  await interleave(contenders, 2);
  assert.deepEqual(asked.join(""), "abc" + "bca" + "cab");
});

test("the first round does not count", async () => {
  const { contenders } = noting(["a", "b"]);
  const measured = await interleave(contenders, 3);
  assert.deepEqual(
    [...measured],
    [
      ["a", [2, 3, 4]],
      ["b", [2, 3, 4]],
    ],
  );
});

test("a failure ends the measurement", async () => {
  const failing = { name: "a", measure: () => Promise.reject(new Error("broken")) };
  await assert.rejects(interleave([failing], 1), /broken/);
});

test("without contenders nothing is measured", async () => {
  assert.equal((await interleave([], 3)).size, 0);
});
