import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { protectFromOom } from "../../../src/sandbox/cgroup/oom-score.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

test("the service is spared, until it gives that back", async (t) => {
  const file = join(await tempDirectory(t), "oom_score_adj");
  await writeFile(file, "100\n");
  const undo = await protectFromOom(file);
  assert.equal(await readFile(file, "utf8"), "-900");
  await undo();
  assert.equal(await readFile(file, "utf8"), "100");
});

test("what the operator has set lower stays, and what cannot be set is no fault", async (t) => {
  const directory = await tempDirectory(t);
  const file = join(directory, "oom_score_adj");
  await writeFile(file, "-1000\n");
  await (await protectFromOom(file))();
  assert.equal(await readFile(file, "utf8"), "-1000\n");
  await (await protectFromOom(join(directory, "nosuch")))();
});
