import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBenchOptions, SECTIONS } from "../../../scripts/bench/bench-options.ts";

test("without arguments all sections are measured in full", () => {
  const options = parseBenchOptions([]);
  assert.deepEqual(options.sections, SECTIONS);
  assert.equal(options.runs, 40);
  assert.deepEqual(options.concurrency, [1, 2, 4, 8, 16, 32]);
  assert.equal(options.json, undefined);
});

test("a short pass measures less of everything", () => {
  const [full, quick] = [parseBenchOptions([]), parseBenchOptions(["--quick"])];
  for (const key of ["runs", "first_commands", "window_secs", "windows"] as const) {
    assert.ok(quick[key] < full[key], key);
  }
  assert.ok(quick.concurrency.length < full.concurrency.length);
});

test("a stated number of runs holds in a short pass too", () => {
  assert.equal(parseBenchOptions(["--quick", "--runs", "100"]).runs, 100);
});

test("pulls of images are measured fewer times", () => {
  assert.equal(parseBenchOptions(["--images"]).runs, 5);
  assert.equal(parseBenchOptions(["--images", "--runs", "7"]).runs, 7);
});

test("sections are chosen by name, and keep their order", () => {
  assert.deepEqual(parseBenchOptions(["--only", "growth, latency"]).sections, ["latency", "growth"]);
});

for (const [args, message] of [
  [["--only", "latency,speed"], /"speed"; there are latency, /],
  [["--only", ""], /no section ""/],
  [["--runs", "0"], /--runs/],
  [["--runs", "1e3"], /--runs/],
  [["--runs", "many"], /--runs/],
  [["--fast"], /--fast/],
] as const) {
  test(`${args.join(" ")} is refused`, () => assert.throws(() => parseBenchOptions(args), message));
}
