import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { installPath, Workspace, writeWhole } from "../../../scripts/setup/workspace.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

test("a workspace sweeps what dead set-ups left and leaves what is in use", async (t) => {
  const root = await tempDirectory(t);
  // The first process is always there; no process has the number of the largest possible pid plus one.
  for (const name of ["4194305-rootfs-x", "1-rootfs-x", "stray"])
    await mkdir(join(root, name, "deep"), { recursive: true });
  const workspace = new Workspace(root);
  const dir = await workspace.dir("rootfs");
  await writeFile(join(dir, "file"), "");
  assert.deepEqual(
    (await readdir(root)).filter((name) => join(root, name) !== dir),
    ["1-rootfs-x"],
  );
  await workspace.remove();
  assert.deepEqual(await readdir(root), ["1-rootfs-x"]);
});

test("a workspace that nobody asks for makes nothing", async (t) => {
  const root = join(await tempDirectory(t), "work");
  await new Workspace(root).remove();
  await assert.rejects(stat(root), { code: "ENOENT" });
});

test("installing a directory replaces the one before, whole", async (t) => {
  const dir = await tempDirectory(t);
  const place = join(dir, "home", "layout");
  for (const version of ["old", "new"]) {
    await mkdir(join(dir, version));
    await writeFile(join(dir, version, version), "");
    await installPath(join(dir, version), place);
  }
  assert.deepEqual(await readdir(place), ["new"]);
  assert.deepEqual(await readdir(dir), ["home"]);
});

test("installing a file replaces the one before and keeps its mode", async (t) => {
  const dir = await tempDirectory(t);
  const place = join(dir, "bin", "runsc");
  for (const version of ["old", "new"]) {
    await writeFile(join(dir, "made"), version, { mode: 0o755 });
    await installPath(join(dir, "made"), place);
  }
  assert.equal(await readFile(place, "utf8"), "new");
  assert.equal((await stat(place)).mode & 0o777, 0o755);
});

test("writing a file whole leaves nothing beside it", async (t) => {
  const dir = await tempDirectory(t);
  await writeWhole(join(dir, "a", "script"), "one", 0o755);
  await writeWhole(join(dir, "a", "script"), "two", 0o755);
  assert.equal(await readFile(join(dir, "a", "script"), "utf8"), "two");
  assert.deepEqual(await readdir(join(dir, "a")), ["script"]);
});
