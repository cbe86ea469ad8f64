import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { noteParents } from "../../../src/sandbox/cgroup/parent-record.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

test("parents of earlier servers are remembered beside the current ones, each once", async (t) => {
  const directory = await tempDirectory(t);
  const file = join(directory, "cgroups.json");
  assert.deepEqual(await noteParents(file, ["/m/a/boxer/1"]), ["/m/a/boxer/1"]);
  const both = ["/m/a/boxer/1", "/m/b/boxer/1"];
  assert.deepEqual(await noteParents(file, ["/m/b/boxer/1"]), both);
  assert.deepEqual(await noteParents(file, both), both);
  assert.deepEqual(await readdir(directory), ["cgroups.json"]);
});

test("a damaged note, and names that are not ours, are passed over", async (t) => {
  const file = join(await tempDirectory(t), "cgroups.json");
  for (const text of ["{", "null", "{}", '["/m/a/boxer/2", 3, null]']) {
    await writeFile(file, text);
    assert.deepEqual(await noteParents(file, ["/m/a/boxer/1"]), ["/m/a/boxer/1"]);
  }
});
