import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseNext, type Line, MAX_OVERTAKEN } from "../../../src/run/admission/choose-next.ts";

const FREE_MB = 100;
const line = (name: string, rest: Partial<Line> = {}) => ({
  name,
  active: 0,
  turn: 0,
  overtaken: 0,
  next_memory_mb: 1,
  ...rest,
});

describe("whose run starts next", () => {
  const cases: [string, ReturnType<typeof line>[], string | undefined][] = [
    ["nobody, where nobody waits", [], undefined],
    ["who has fewest under way", [line("a", { active: 1 }), line("b", { turn: 9 })], "b"],
    ["whose turn is first, among those", [line("a", { turn: 2 }), line("b", { turn: 1 })], "b"],
    [
      "the next one, where the first does not fit",
      [line("a", { next_memory_mb: 101 }), line("b", { turn: 1 })],
      "b",
    ],
    ["who fits exactly", [line("a", { next_memory_mb: 100 })], "a"],
    ["nobody, where none fits", [line("a", { next_memory_mb: 101 })], undefined],
    [
      "who was overtaken too often, whatever it has under way",
      [line("a"), line("b", { active: 5, turn: 9, overtaken: MAX_OVERTAKEN })],
      "b",
    ],
    [
      "the turn decides among those, not what they have under way",
      [
        line("a", { turn: 2, overtaken: MAX_OVERTAKEN }),
        line("b", { active: 5, turn: 1, overtaken: MAX_OVERTAKEN }),
      ],
      "b",
    ],
    [
      "nobody, where one that was overtaken too often does not fit",
      [line("a"), line("b", { overtaken: MAX_OVERTAKEN, next_memory_mb: 101 })],
      undefined,
    ],
    [
      "another, where one that was overtaken too often waits for what its own client has",
      [line("a"), line("b", { active: 1, overtaken: MAX_OVERTAKEN, next_memory_mb: 101 })],
      "a",
    ],
  ];
  for (const [what, lines, expected] of cases) {
    test(what, () => {
      assert.equal(chooseNext(lines, FREE_MB)?.name, expected);
      assert.equal(chooseNext(lines.toReversed(), FREE_MB)?.name, expected);
    });
  }
});
