import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable } from "../../../scripts/bench/format-table.ts";

const columns = [
  { key: "name", label: "by" },
  { key: "time", label: "ms" },
  { key: "count", label: "number", digits: 0 },
];

test("a table is Markdown with words to the left and numbers to the right", () => {
  const rows = [
    { name: "raw", time: 112.34, count: 7 },
    { name: "Boxer", time: 9, count: 1234 },
  ];
  assert.equal(
    formatTable({ title: "Times", columns, rows }),
    [
      "### Times",
      "",
      "| by    |    ms | number |",
      "| ----- | ----: | -----: |",
      "| raw   | 112.3 |      7 |",
      "| Boxer |   9.0 |   1234 |",
    ].join("\n"),
  );
});

test("what was not measured is a dash, and never a number", () => {
  const rows = [
    { name: null, time: Number.NaN },
    { name: "x", time: 1 },
  ];
  const lines = formatTable({ title: "", columns, rows }).split("\n");
  assert.deepEqual(lines.slice(4), ["| –   |   – | –      |", "| x   | 1.0 | –      |"]);
});

test("a table without rows has its head", () => {
  const text = formatTable({ title: "T", columns: [{ key: "a", label: "a" }], rows: [] });
  assert.equal(text, "### T\n\n| a   |\n| --- |");
});
