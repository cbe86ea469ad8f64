import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Child, Platform } from "../../src/platform/platform.ts";
import { outputWatch } from "../../src/sandbox/output-watch.ts";
import { touch } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const ROOM = { max_bytes: 1000, max_files: 5, max_entries: 50 };

test("a look at a plain directory without end stops at the first entry or byte too many", async () => {
  for (const [blocks, room] of [
    ["0", { ...ROOM, max_bytes: Number.MAX_SAFE_INTEGER }],
    ["8", { ...ROOM, max_entries: Number.MAX_SAFE_INTEGER }],
  ] as const) {
    let walk: Child | undefined;
    const spawn: Platform["spawn"] = (_, options) => {
      walk = platform.spawn(["yes", blocks], options);
      return walk;
    };
    assert.equal(await outputWatch("/", room, { spawn }, false)(), "output_files_limit");
    assert.notEqual((await walk?.exited)?.signal, null);
  }
});

test("awkward names are one entry each, and nothing is followed", async (t) => {
  const path = await tempDirectory(t);
  await touch(path, "line\\nbreak", "b\\377", "\\055delete", "*", "99999999");
  assert.equal(await outputWatch(path, { ...ROOM, max_entries: 5 }, platform, false)(), null);
  await mkdir(join(path, "d"));
  assert.equal(await outputWatch(path, { ...ROOM, max_entries: 5 }, platform, false)(), "output_files_limit");
});

test("a directory that is gone holds nothing", async (t) => {
  const path = join(await tempDirectory(t), "gone");
  assert.equal(await outputWatch(path, ROOM, platform, false)(), null);
});

test("files below directories count", async (t) => {
  const path = await tempDirectory(t);
  await mkdir(join(path, "a/b"), { recursive: true });
  await writeFile(join(path, "a/b/big"), Buffer.alloc(100_000));
  assert.equal(await outputWatch(path, ROOM, platform, false)(), "output_files_limit");
});
