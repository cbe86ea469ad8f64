import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { findExecutable, isExecutable } from "../../src/platform/find-executable.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

/** A tree with a `tool` that can be run in `a`, `b` and `preferred`, and things in `bad` that cannot. */
async function tree(t: TestContext): Promise<string> {
  const root = await tempDirectory(t);
  for (const directory of ["a", "b", "preferred", "bad", "bad-directory/tool"]) {
    await mkdir(join(root, directory), { recursive: true });
  }
  for (const directory of ["a", "b", "preferred"]) {
    await writeFile(join(root, directory, "tool"), "", { mode: 0o755 });
  }
  await writeFile(join(root, "bad", "tool"), "", { mode: 0o644 });
  return root;
}

test("the first in PATH is found", async (t) => {
  const root = await tree(t);
  assert.equal(await findExecutable("tool", [], `${root}/b:${root}/a`), `${root}/b/tool`);
  assert.equal(await findExecutable("tool", [], `${root}/a:${root}/b`), `${root}/a/tool`);
});

test("a preferred place comes before PATH, and is passed over when nothing is there", async (t) => {
  const root = await tree(t);
  const searchPath = `${root}/a`;
  assert.equal(
    await findExecutable("tool", [`${root}/preferred/tool`], searchPath),
    `${root}/preferred/tool`,
  );
  assert.equal(await findExecutable("tool", [`${root}/none/tool`], searchPath), `${root}/a/tool`);
});

test("a file that may not be executed and a directory of the name are passed over", async (t) => {
  const root = await tree(t);
  const searchPath = `${root}/bad:${root}/bad-directory:${root}/a`;
  assert.equal(await findExecutable("tool", [], searchPath), `${root}/a/tool`);
});

test("entries of PATH that are empty or relative are not looked into", async (t) => {
  const root = await tree(t);
  const directory = process.cwd();
  t.after(() => process.chdir(directory));
  process.chdir(join(root, "a"));
  assert.equal(await findExecutable("tool", [], "::.:../b"), null);
});

test("null when there is none", async (t) => {
  const root = await tree(t);
  assert.equal(await findExecutable("nosuch", [`${root}/nosuch`], `${root}/a:${root}/none`), null);
  assert.equal(await findExecutable("tool", [], ""), null);
});

test("a symbolic link counts as what it points to", async (t) => {
  const root = await tree(t);
  await symlink("a/tool", join(root, "good-link"));
  await symlink("nosuch", join(root, "dangling"));
  await symlink("bad/tool", join(root, "link-to-plain"));
  assert.equal(await isExecutable(join(root, "good-link")), true);
  assert.equal(await isExecutable(join(root, "dangling")), false);
  assert.equal(await isExecutable(join(root, "link-to-plain")), false);
  assert.equal(await isExecutable(root), false);
});
