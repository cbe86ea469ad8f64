import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MIN_EVICTION_AGE_MS } from "../../src/files/housekeeper.ts";
import { openTestStore, type TestStore, UNBOUNDED } from "../support/file-store.ts";
import { until } from "../support/leftovers.ts";

const LIMITS = { max_bytes: 1000, max_files: 100, max_depth: 10 };
const DAY_MS = 86_400_000;

/** How far the store's clock is ahead. */
let ahead_ms = 0;
let files: TestStore;
async function open(
  config: Partial<typeof UNBOUNDED | { files_quota_bytes: number; files_ttl_secs: number }>,
) {
  ahead_ms = 0;
  files = await openTestStore({
    config: { ...UNBOUNDED, ...config },
    now: () => Date.now() + ahead_ms,
  });
}
afterEach(async () => {
  await files.store.close();
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

const paths = async () => (await files.list()).filter((path) => !path.endsWith("/"));
async function hold(path: string) {
  const run = join(files.runs, `run-${Math.random()}`);
  await mkdir(run);
  return files.store.hold([path], run);
}
async function capture(id: string, contents: Record<string, string>) {
  const source = join(files.runs, id);
  await mkdir(source);
  for (const [name, text] of Object.entries(contents)) await writeFile(join(source, name), text);
  return files.store.captureOutputs(source, id, LIMITS);
}

test("uploads and outputs that nobody used for too long are removed, with their directories", async () => {
  await open({ files_ttl_secs: 86_400 / 1000 });
  await files.put("a/b/upload", "text");
  await capture("boxer-1", { result: "42" });
  ahead_ms = DAY_MS;
  await until(async () => (await files.list()).length === 0);
  assert.equal(files.store.usage().size_bytes, 0);
});

test("a file in time stays, and so does one that a run holds, however old", async () => {
  await open({ files_ttl_secs: 60 });
  await files.put("held", "text");
  const held = await hold("held");
  ahead_ms = 59_000;
  await sleep(50);
  assert.deepEqual(await paths(), ["held"]);
  ahead_ms = DAY_MS;
  await files.put("other", "text");
  await until(async () => !(await paths()).includes("other"));
  assert.deepEqual(await paths(), ["held"]);
  await held.release({ remove: false });
  await until(async () => (await paths()).length === 0);
});

test("the time that a guest gives its output neither keeps nor removes it", async () => {
  await open({ files_quota_bytes: 10 });
  const source = join(files.runs, "output");
  await mkdir(source);
  await writeFile(join(source, "result"), "12345678");
  await utimes(join(source, "result"), new Date("2100-01-01"), new Date("2100-01-01"));
  await files.store.captureOutputs(source, "boxer-1", LIMITS);
  const [listed] = (await files.store.list("", { after: "", limit: 1 })).files;
  assert.ok(Math.abs((listed?.used_ms ?? 0) - Date.now()) < 60_000);
  ahead_ms = MIN_EVICTION_AGE_MS + 60_000;
  await files.put("new", "12345678");
  assert.deepEqual(await paths(), ["new"]);
});

test("the least recently used files make room, and no more of them than needed", async () => {
  await open({ files_quota_bytes: 1000 });
  for (const name of ["1", "2", "3", "4"]) {
    await files.put(name, "x".repeat(230));
    await sleep(10);
  }
  // A run uses the oldest: it becomes the newest.
  await (await hold("1")).release({ remove: false });
  ahead_ms = MIN_EVICTION_AGE_MS + 60_000;
  await files.put("5", "x".repeat(230));
  assert.deepEqual(await paths(), ["1", "3", "4", "5"]);
  assert.equal(files.store.usage().size_bytes, 920);
});

test("a full store refuses an upload rather than take another's fresh file, and keeps all", async () => {
  await open({ files_quota_bytes: 10 });
  await files.put("mine", "12345678");
  ahead_ms = MIN_EVICTION_AGE_MS - 60_000;
  await assert.rejects(files.put("dir/yours", "123"), {
    code: "files_quota_exceeded",
    message: /^There is no room: the files take 8 of 10 bytes \(files_quota_bytes\)/,
  });
  assert.deepEqual(await files.list(), ["mine"]);
  await files.put("yours", "12");
  await files.put("mine", "8-letter");
  assert.equal(files.store.usage().size_bytes, 10);
});

test("a search that found too little stands for a while, but not for what does fit by then", async () => {
  await open({ files_quota_bytes: 10 });
  await files.put("mine", "12345678");
  await assert.rejects(files.put("yours", "123"), { code: "files_quota_exceeded" });
  ahead_ms = 1_000;
  await files.store.remove("mine");
  await files.put("yours", "1234567890");
  await assert.rejects(files.put("third", "1"), { code: "files_quota_exceeded" });
  ahead_ms = MIN_EVICTION_AGE_MS + 60_000;
  await files.put("third", "1");
  assert.deepEqual(await paths(), ["third"]);
});

test("a held file makes no room", async () => {
  await open({ files_quota_bytes: 10 });
  await files.put("held", "12345678");
  const held = await hold("held");
  ahead_ms = DAY_MS;
  await assert.rejects(files.put("new", "12345678"), { code: "files_quota_exceeded" });
  await held.release({ remove: true });
  await files.put("new", "12345678");
});

test("an upload larger than the quota takes nothing away", async () => {
  await open({ files_quota_bytes: 10 });
  await files.put("old", "12345678");
  ahead_ms = DAY_MS;
  await assert.rejects(files.put("huge", "x".repeat(11)), { code: "files_quota_exceeded" });
  assert.deepEqual(await paths(), ["old"]);
});

test("uploads at once never pass the quota together", async () => {
  await open({ files_quota_bytes: 100 });
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => files.put(`file-${index}`, "1234567890")),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 10);
  assert.equal(files.store.usage().size_bytes, 100);
  assert.equal((await paths()).length, 10);
});

test("outputs beyond the quota are not kept, none of them, and told as skipped", async () => {
  await open({ files_quota_bytes: 10 });
  await files.put("mine", "12345678");
  const captured = await capture("boxer-1", { one: "1", two: "22" });
  const reason = "there is no room within files_quota_bytes";
  assert.deepEqual(captured, {
    outputs: [],
    skipped: [
      { path: "one", reason },
      { path: "two", reason },
    ],
    limit_exceeded: null,
  });
  assert.deepEqual(await files.list(), ["mine"]);
  assert.equal((await capture("boxer-2", { one: "22" })).outputs.length, 1);
  assert.equal(files.store.usage().size_bytes, 10);
});
