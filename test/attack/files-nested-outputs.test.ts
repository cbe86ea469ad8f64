import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openDirectory, within } from "../../src/files/open-directory.ts";
import { openTestStore, type TestStore } from "../support/file-store.ts";

let files: TestStore;
let output: string;
beforeEach(async () => {
  files = await openTestStore();
  output = join(files.runs, "output");
});
afterEach(async () => {
  assert.deepEqual(await readdir(files.runs), []);
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

const LIMITS = { max_bytes: 1e6, max_files: 100, max_depth: 20 };

/** Nests directories as a guest can, far deeper than any path could say, with a file at the bottom. */
async function nest(depth: number, name: string): Promise<void> {
  const bottom = await openDirectory(files.runs, ["output", ...new Array<string>(depth).fill(name)], {
    create: true,
  });
  await writeFile(within(bottom, "bottom"), "deep");
  await bottom.close();
}

test("20,000 nested directories are left out, said so and removed", async () => {
  await nest(20_000, "d");
  await writeFile(join(output, "kept"), "text");
  const { outputs, skipped, limit_exceeded } = await files.store.captureOutputs(output, "boxer-1", LIMITS);
  assert.deepEqual(outputs, [{ path: "output/boxer-1/kept", size_bytes: 4 }]);
  assert.deepEqual(skipped, [{ path: `${"d/".repeat(20)}d`, reason: "it is nested deeper than 20 levels" }]);
  assert.equal(limit_exceeded, "depth");
});

test("long names nested beyond PATH_MAX are left out, said so and removed", async () => {
  await nest(300, "d".repeat(255));
  const { outputs, skipped, limit_exceeded } = await files.store.captureOutputs(output, "boxer-1", {
    ...LIMITS,
    max_depth: 10,
  });
  assert.deepEqual([outputs, skipped.length, limit_exceeded], [[], 1, "depth"]);
});

test("a file whose path is too long for the host is left out and removed, at any depth allowed", async () => {
  await nest(19, "d".repeat(255));
  const { outputs, skipped, limit_exceeded } = await files.store.captureOutputs(output, "boxer-1", LIMITS);
  assert.deepEqual(outputs, []);
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ["its path is too long"],
  );
  assert.equal(limit_exceeded, null);
});

test("the longest path that is kept can be read", async () => {
  const name = "d".repeat(200);
  await nest(18, name);
  const { outputs } = await files.store.captureOutputs(output, "boxer-1", LIMITS);
  assert.equal(outputs.length, 1);
  assert.equal(await files.get(outputs[0]?.path ?? ""), "deep");
});
