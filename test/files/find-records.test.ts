import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { countFiles } from "../../src/files/find-files.ts";
import { findRecords } from "../../src/files/find-records.ts";
import type { Child, Platform } from "../../src/platform/platform.ts";
import { openTestStore, type TestStore, touch, touchMany } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
beforeEach(async () => {
  files = await openTestStore();
});
afterEach(() => files.remove());

/** A platform that tells of the processes it starts. */
function watched(): { spawner: Pick<Platform, "spawn">; children: Child[] } {
  const children: Child[] = [];
  const spawn: Platform["spawn"] = (argv, options) => {
    const child = platform.spawn(argv, options);
    children.push(child);
    return child;
  };
  return { spawner: { spawn }, children };
}

/** What find has so much to say of that it cannot have said it all by the time that the first of it is read. */
const ENDLESS = `%p${"x".repeat(8_000)}\\0`;

test("records come whole, however many and wherever they are cut, and whatever bytes they have", async () => {
  await touchMany(files.root, 5_000);
  await touch(files.root, "line\\nbreak", "\\377\\376");
  const records: string[] = [];
  for await (const record of findRecords(
    platform,
    [files.root, "-type", "f", "-printf", "%P\\0"],
    assert.fail,
  ))
    records.push(record.toString("latin1"));
  const numbers = Array.from({ length: 5_000 }, (_, index) => String(index + 1));
  assert.deepEqual(records.sort(), [...numbers, "line\nbreak", "\xff\xfe"].sort());
});

test("stopping early ends find, and is no complaint", async () => {
  await touchMany(files.root, 2_000);
  const { spawner, children } = watched();
  for await (const _ of findRecords(spawner, [files.root, "-printf", ENDLESS], assert.fail)) break;
  assert.notEqual((await children[0]?.exited)?.signal ?? null, null);
});

test("what find could not read is told at its end", async () => {
  const complaints: string[] = [];
  const records = findRecords(platform, [`${files.root}/missing`, "-print0"], (each) =>
    complaints.push(each),
  );
  assert.deepEqual(await Array.fromAsync(records), []);
  assert.match(complaints.join(), /missing.*No such file or directory/);
});

test("a find that is killed is told, lest what it had not reached yet passes for nothing", async () => {
  await touchMany(files.root, 2_000);
  const { spawner, children } = watched();
  const complaints: string[] = [];
  for await (const _ of findRecords(spawner, [files.root, "-printf", ENDLESS], (each) =>
    complaints.push(each),
  ))
    children[0]?.kill("SIGKILL");
  assert.deepEqual(complaints, ["find ended with SIGKILL"]);
  const spawn: Platform["spawn"] = (_, options) => platform.spawn(["sh", "-c", "kill -9 $$"], options);
  await assert.rejects(countFiles({ spawn }, files.root), /Cannot count .*: find ended with SIGKILL/);
});
