import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Admission } from "../../src/files/admission.ts";
import { captureWithinQuota } from "../../src/files/capture-within-quota.ts";
import { openTestStore, type TestStore, touchMany } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

const LIMITS = { max_bytes: 1000, max_files: 200, max_depth: 10 };

let files: TestStore;
let source: string;
beforeEach(async () => {
  files = await openTestStore();
  source = join(files.runs, "output");
  await mkdir(source);
});
afterEach(async () => {
  assert.deepEqual([await readdir(files.staging), await readdir(files.runs)], [[], []]);
  await files.remove();
});

/** Captures with an admission that fails with a fault; gives the result and what it was asked for. */
async function capture(fault: Error, keep?: boolean) {
  const asked: unknown[] = [];
  const admission = {
    async placeDirectory(tree: string, path: string, size_bytes: number) {
      asked.push([(await readdir(tree)).sort(), path, size_bytes]);
      throw fault;
    },
  } as unknown as Admission;
  const parts = { platform, staging: files.staging, log: silentLog };
  const result = captureWithinQuota(parts, admission, { source, execId: "boxer-1", limits: LIMITS, keep });
  return { captured: await result.catch((error: unknown) => error), asked };
}
const REFUSAL = new BoxerError("files_quota_exceeded", "There is no room");

test("the tree is admitted as one, by the sum of its files; refused, it is gone and all of it told", async () => {
  await writeFile(join(source, "a"), "1");
  await mkdir(join(source, "b"));
  await writeFile(join(source, "b/c"), "22");
  const { captured, asked } = await capture(REFUSAL);
  const reason = "there is no room within files_quota_bytes";
  const skipped = ["a", "b/c"].map((path) => ({ path, reason }));
  assert.deepEqual(captured, { outputs: [], skipped, limit_exceeded: null });
  assert.deepEqual(asked, [[["a", "b"], "output/boxer-1", 3]]);
});

test("no more than a hundred are told as skipped", async () => {
  await touchMany(source, 150);
  const { captured } = await capture(REFUSAL);
  assert.equal((captured as { skipped: unknown[] }).skipped.length, 100);
});

test("a run that leaves nothing, or keeps nothing, asks for no room", async () => {
  await writeFile(join(source, "a"), "1");
  const { captured, asked } = await capture(REFUSAL, false);
  assert.deepEqual(captured, {
    outputs: [{ path: "output/boxer-1/a", size_bytes: 1 }],
    skipped: [],
    limit_exceeded: null,
  });
  await mkdir(source);
  assert.deepEqual((await capture(REFUSAL)).asked, []);
  assert.deepEqual(asked, []);
});

test("another fault is no want of room, and leaves nothing either", async () => {
  await writeFile(join(source, "a"), "1");
  const fault = new BoxerError("disk_full", "Cannot store the file");
  assert.equal((await capture(fault)).captured, fault);
});
