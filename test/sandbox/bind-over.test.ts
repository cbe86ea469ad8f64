import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bindOver } from "../../src/sandbox/bind-over.ts";
import { noMounts } from "../support/no-mounts.ts";
import { runToEnd } from "../support/run-to-end.ts";
import { tempDirectory } from "../support/temp-directory.ts";

test("a command sees one file in the place of another, which others see as it is", {
  skip: noMounts(),
}, async (t) => {
  const directory = await tempDirectory(t);
  const [over, under] = ["it's $(over)", "un der"].map((name) => join(directory, name));
  assert.ok(over && under);
  await Promise.all([writeFile(over, "over"), writeFile(under, "under")]);
  const { stdout, code } = await runToEnd(bindOver(over, under, ["sh", "-c", 'cat "$0"; exit 7', under]));
  assert.deepEqual([stdout, code, await readFile(under, "utf8")], ["over", 7, "under"]);
});

test("a command is not run where nothing can be bound", { skip: noMounts() }, async () => {
  const { stdout, code } = await runToEnd(bindOver("/nosuch", "/proc/meminfo", ["echo", "ran"]));
  assert.deepEqual([stdout, code], ["", 128]);
});
