import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { walkOutputs } from "../../src/files/walk-outputs.ts";
import type { Child, Platform } from "../../src/platform/platform.ts";
import { touch, touchMany } from "../support/file-store.ts";
import { platform } from "../support/platform.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxer-walk-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const quiet = (stderr: string) => assert.fail(stderr);

async function walk(max_depth: number) {
  const entries = await Array.fromAsync(walkOutputs(platform, directory, max_depth, quiet));
  return entries
    .map(({ type, size_bytes, depth, path }) => `${type} ${type === "d" ? "-" : size_bytes} ${depth} ${path}`)
    .sort();
}

test("every kind of entry is listed with its depth and apparent size", async () => {
  await mkdir(join(directory, "a/b"), { recursive: true });
  await writeFile(join(directory, "a/b/file"), "12345");
  await writeFile(join(directory, "sparse"), "");
  await truncate(join(directory, "sparse"), 1e12);
  await symlink("/etc", join(directory, "link"));
  await promisify(execFile)("mkfifo", [join(directory, "fifo")]);
  assert.deepEqual(await walk(9), [
    "d - 1 a",
    "d - 2 a/b",
    "f 1000000000000 1 sparse",
    "f 5 3 a/b/file",
    "l 4 1 link",
    "p 0 1 fifo",
  ]);
});

test("names come as the bytes they are", async () => {
  await touch(directory, "line\\nbreak", " f 1 2 3 ", "\\377 \\376", "\\357\\273\\277x");
  const entries = await Array.fromAsync(walkOutputs(platform, directory, 1, quiet));
  assert.deepEqual(entries.map(({ path }) => path.toString("latin1")).sort(), [
    " f 1 2 3 ",
    "line\nbreak",
    "\xef\xbb\xbfx",
    "\xff \xfe",
  ]);
});

test("nothing deeper than asked for is listed", async () => {
  await mkdir(join(directory, "a/b/c/d"), { recursive: true });
  assert.deepEqual(await walk(2), ["d - 1 a", "d - 2 a/b"]);
});

test("permission bits are told", async () => {
  await writeFile(join(directory, "tool"), "");
  await chmod(join(directory, "tool"), 0o4751);
  const [entry] = await Array.fromAsync(walkOutputs(platform, directory, 1, quiet));
  assert.equal(entry?.mode, 0o4751);
});

test("more entries than fit a pipe at once all come", async () => {
  await touchMany(directory, 6000);
  const seen = new Set<string>();
  for await (const { path } of walkOutputs(platform, directory, 1, quiet)) seen.add(path.toString());
  assert.equal(seen.size, 6000);
});

test("stopping early ends the process", async () => {
  const children: Child[] = [];
  const watched: Pick<Platform, "spawn"> = {
    spawn(argv, options) {
      const child = platform.spawn(argv, options);
      children.push(child);
      return child;
    },
  };
  await touchMany(directory, 6000);
  for await (const _ of walkOutputs(watched, directory, 1, quiet)) break;
  assert.equal(children.length, 1);
  assert.throws(() => process.kill(children[0]?.pid ?? 0, 0), { code: "ESRCH" });
});

test("what cannot be read is complained of, once", async () => {
  const complaints: string[] = [];
  const missing = join(directory, "missing");
  const entries = await Array.fromAsync(
    walkOutputs(platform, missing, 1, (stderr) => complaints.push(stderr)),
  );
  assert.deepEqual(entries, []);
  assert.match(complaints.join(), /find: .*missing.*: No such file or directory$/);
});
