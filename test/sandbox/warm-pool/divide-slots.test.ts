import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Candidate, divideSlots, mayReplace } from "../../../src/sandbox/warm-pool/divide-slots.ts";
import { shapeOf } from "./support/fake-pool.ts";

const NO_BOUND = 100;

function candidate(key: string, score: number, more: { wanted?: number; most?: number } = {}): Candidate {
  return { key, shape: shapeOf(key), score, wanted: 0, most: NO_BOUND, ...more };
}

describe("slots are divided", () => {
  const cases: [what: string, candidates: Candidate[], slots: number, expected: string][] = [
    ["all to a shape that is alone", [candidate("a", 50)], 4, "aaaa"],
    ["no more of a shape than are worth it", [candidate("a", 50, { most: 2 })], 4, "aa"],
    [
      "one for each first, by demand, then in proportion",
      [candidate("a", 10), candidate("b", 22)],
      6,
      "babbba",
    ],
    [
      "those most asked for where there are more shapes than slots",
      [1, 3, 2].map((n) => candidate(`${n}`, n)),
      2,
      "32",
    ],
    [
      "those wanted first, however much others are asked for",
      [candidate("a", 90), candidate("b", 0, { wanted: 2, most: 2 })],
      4,
      "bbaa",
    ],
    [
      "to the first wanted where there is no room for all",
      ["a", "b", "c"].map((key) => candidate(key, 0, { wanted: 1, most: 1 })),
      2,
      "ab",
    ],
    ["none where there is none", [candidate("a", 1)], 0, ""],
    ["none where nothing is worth it", [], 4, ""],
  ];
  for (const [what, candidates, slots, expected] of cases) {
    test(what, () => {
      const divided = divideSlots(candidates, slots).map(({ key }) => key);
      assert.equal(divided.join(""), expected);
    });
  }
});

describe("a sandbox gives way", () => {
  const cases: [what: string, Candidate, number, Candidate, number, boolean][] = [
    [
      "to the first of a shape, where it is not the last of its own",
      candidate("a", 1),
      0,
      candidate("b", 9),
      2,
      true,
    ],
    [
      "not to the first of a shape that is asked for a little more",
      candidate("a", 19),
      0,
      candidate("b", 10),
      1,
      false,
    ],
    [
      "to the first of a shape that is asked for twice as much",
      candidate("a", 20),
      0,
      candidate("b", 10),
      1,
      true,
    ],
    ["to one wanted by name", candidate("a", 0, { wanted: 1 }), 0, candidate("b", 90), 1, true],
    ["not when it is wanted by name", candidate("a", 90), 0, candidate("b", 0, { wanted: 1 }), 1, false],
    ["to one more that is worth twice as much", candidate("a", 20), 1, candidate("b", 10), 2, true],
    ["not to one more that is worth less than that", candidate("a", 19), 1, candidate("b", 10), 2, false],
    ["not the last of a shape to one more of another", candidate("a", 99), 1, candidate("b", 1), 1, false],
  ];
  for (const [what, challenger, challengerHas, holder, holderHas, expected] of cases) {
    test(what, () => assert.equal(mayReplace(challenger, challengerHas, holder, holderHas), expected));
  }
});
