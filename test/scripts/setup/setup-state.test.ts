import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SetupState } from "../../../scripts/setup/setup-state.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

test("what was remembered is known to the next set-up, by its very key", async (t) => {
  const dir = await tempDirectory(t);
  const path = join(dir, "setup", "state.json");
  const first = await SetupState.load(path);
  assert.equal(first.is("runsc", "a"), false);
  await first.remember("runsc", "a");
  await first.remember("python", "b");
  const second = await SetupState.load(path);
  assert.deepEqual(
    [second.is("runsc", "a"), second.is("runsc", "b"), second.is("python", "b")],
    [true, false, true],
  );
  assert.deepEqual(await readdir(join(dir, "setup")), ["state.json"]);
});

for (const text of ["", "{", "null", '{"runsc": 1}']) {
  test(`a state file with ${JSON.stringify(text)} counts as empty`, async (t) => {
    const path = join(await tempDirectory(t), "state.json");
    await writeFile(path, text);
    const state = await SetupState.load(path);
    assert.equal(state.is("runsc", "1"), false);
    await state.remember("runsc", "1");
    assert.equal((await SetupState.load(path)).is("runsc", "1"), true);
  });
}

test("a state file that cannot be read counts as empty", async (t) => {
  const path = join(await tempDirectory(t), "state.json");
  await mkdir(path);
  assert.equal((await SetupState.load(path)).is("runsc", "1"), false);
});
