import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openDirectory } from "../../src/files/open-directory.ts";
import type { Platform } from "../../src/platform/platform.ts";
import { removeTree } from "../../src/platform/remove-tree.ts";
import { touch } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "boxer-remove-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const noProcess: Pick<Platform, "spawn"> = {
  spawn: () => assert.fail("a process was started"),
};

test("a tree goes with all that is in it, and what its links point to stays", async () => {
  await mkdir(join(home, "tree/a/b"), { recursive: true });
  await writeFile(join(home, "kept"), "text");
  await symlink(home, join(home, "tree/a/link"));
  await symlink("../../../kept", join(home, "tree/a/b/link"));
  await removeTree(join(home, "tree"), platform);
  assert.deepEqual(await readdir(home), ["kept"]);
  assert.equal(await readFile(join(home, "kept"), "utf8"), "text");
});

test("an empty directory, a file, a link and nothing go without a process", async () => {
  await mkdir(join(home, "empty"));
  await mkdir(join(home, "target"));
  await writeFile(join(home, "file"), "text");
  await symlink("target", join(home, "link"));
  for (const name of ["empty", "file", "link", "nothing"]) await removeTree(join(home, name), noProcess);
  assert.deepEqual(await readdir(home), ["target"]);
});

test("a tree deeper than PATH_MAX goes", async () => {
  const names = new Array<string>(1000).fill("d".repeat(100));
  await (await openDirectory(home, ["tree", ...names], { create: true })).close();
  await removeTree(join(home, "tree"), platform);
  assert.deepEqual(await readdir(home), []);
});

test("names that look like options or are no UTF-8 are names", async () => {
  await mkdir(join(home, "-tree/--help"), { recursive: true });
  await touch(join(home, "-tree"), "\\377");
  await removeTree(join(home, "-tree"), platform);
  assert.deepEqual(await readdir(home), []);
});

test("directories closed to their owner are opened first", async (context) => {
  if (process.getuid?.() !== 0) return context.skip("needs root to become somebody else");
  const asNobody: Pick<Platform, "spawn"> = {
    spawn: (argv, options) =>
      platform.spawn(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...argv], options),
  };
  const work = join(home, "work");
  const script = `mkdir -p tree/closed/deeper; touch tree/closed/deeper/file; chmod 000 tree/closed`;
  await chmod(home, 0o755);
  await mkdir(work);
  await chown(work, 65534, 65534);
  await asNobody.spawn(["sh", "-c", script], { cwd: work, env: { PATH: process.env.PATH ?? "" } }).exited;
  await removeTree(join(work, "tree"), asNobody);
  assert.deepEqual(await readdir(work), []);
});

test("what cannot be removed is told", async () => {
  const failing: Pick<Platform, "spawn"> = {
    spawn: (_, options) => platform.spawn(["sh", "-c", "echo no way >&2; exit 1"], options),
  };
  await mkdir(join(home, "tree/a"), { recursive: true });
  await assert.rejects(removeTree(join(home, "tree"), failing), {
    code: "internal",
    message: `Cannot remove ${join(home, "tree")}: no way`,
  });
});
