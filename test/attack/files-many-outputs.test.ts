import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { listTree, openTestStore, type TestStore, touchMany } from "../support/file-store.ts";

const MANY = 30_000;
const LIMITS = { max_bytes: 1e6, max_files: 50, max_depth: 5 };

let files: TestStore;
let output: string;
beforeEach(async () => {
  files = await openTestStore();
  output = join(files.runs, "output");
  await mkdir(output);
});
afterEach(async () => {
  assert.deepEqual(await readdir(files.runs), []);
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

test("of very many files as many as allowed are kept, and all others removed", async () => {
  await touchMany(output, MANY);
  const { outputs, skipped, limit_exceeded } = await files.store.captureOutputs(output, "boxer-1", LIMITS);
  assert.equal(limit_exceeded, "files");
  assert.equal(outputs.length, 50);
  assert.deepEqual(skipped, []);
  const paths = outputs.map(({ path }) => path);
  assert.deepEqual(paths, paths.toSorted());
  assert.deepEqual(await listTree(files.root), ["output/", "output/boxer-1/", ...paths]);
});

test("very many files within the limit are all kept", async () => {
  await touchMany(output, 3000);
  const limits = { ...LIMITS, max_files: 3000 };
  const { outputs, limit_exceeded } = await files.store.captureOutputs(output, "boxer-1", limits);
  assert.deepEqual([outputs.length, limit_exceeded], [3000, null]);
  await files.store.removeBelow("output/boxer-1");
  assert.deepEqual(await listTree(files.root), []);
});
