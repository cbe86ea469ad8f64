import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { PROBE_PREFIX, withProbe } from "../../src/platform/with-probe.ts";
import { tempDirectory } from "../support/temp-directory.ts";

test("a trial has a directory of its own in the home, of a name that the sweep knows, and leaves nothing", async (t) => {
  const home = await tempDirectory(t);
  const used = await withProbe(home, async (directory) => {
    await mkdir(join(directory, "deep"));
    await writeFile(join(directory, "deep", "file"), "");
    return directory;
  });
  assert.equal(dirname(used), home);
  assert.ok(basename(used).startsWith(PROBE_PREFIX));
  assert.deepEqual(await readdir(home), []);
});

test("a trial that fails leaves nothing either", async (t) => {
  const home = await tempDirectory(t);
  const failing = withProbe(home, async () => {
    throw new Error("it does not work");
  });
  await assert.rejects(failing, /does not work/);
  assert.deepEqual(await readdir(home), []);
});
