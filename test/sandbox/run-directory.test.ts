import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { errnoOf } from "../../src/core/errors.ts";
import { makeRunDirectory } from "../../src/sandbox/run-directory.ts";
import { NOBODY } from "../../src/sandbox/spec.ts";
import { platform } from "../support/platform.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const ROOM = { max_bytes: 1000, max_files: 10, max_entries: 20 };
/** What nobody makes who has nothing for the guest to read. */
const IN = "/nosuch/inputs";

test("the directory is private, and /output belongs to the guest's user", async (t) => {
  const path = join(await tempDirectory(t), "boxer-1");
  const cleanup = strictCleanup();
  const { directory, outputFull } = await makeRunDirectory(path, IN, NOBODY, ROOM, platform, cleanup);
  assert.deepEqual([directory.path, directory.control.in], [path, IN]);
  assert.deepEqual(await readdir(path), ["output"]);
  const [own, output] = await Promise.all([stat(path), stat(directory.output)]);
  assert.equal(own.mode & 0o077, 0);
  assert.equal(output.mode & 0o777, 0o700);
  const isRoot = process.geteuid?.() === 0;
  assert.deepEqual([output.uid, output.gid], isRoot ? [65534, 65534] : [own.uid, own.gid]);
  assert.equal(await outputFull(), null);
  await cleanup.run();
});

test("the undo removes it with all that a guest may have left, and follows no link out of it", async (t) => {
  const root = await tempDirectory(t);
  const outside = join(root, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "kept"), "");
  const cleanup = strictCleanup();
  const { directory } = await makeRunDirectory(join(root, "boxer-1"), IN, NOBODY, ROOM, platform, cleanup);
  const { path, output } = directory;
  await mkdir(join(output, "a", "b"), { recursive: true, mode: 0o000 });
  await symlink(outside, join(output, "link"));
  await symlink(outside, join(path, "link"));
  await cleanup.run();
  assert.equal(existsSync(path), false);
  assert.deepEqual(await readdir(outside), ["kept"]);
});

test("one that cannot be made throws what the system says", async (t) => {
  const path = join(await tempDirectory(t), "boxer-1");
  await writeFile(path, "in the way");
  await assert.rejects(makeRunDirectory(path, IN, NOBODY, ROOM, platform, strictCleanup()), (error) =>
    /EEXIST|ENOTDIR/.test(errnoOf(error) ?? ""),
  );
});
