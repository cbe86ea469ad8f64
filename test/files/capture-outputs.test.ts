import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  rmdir,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it, test } from "node:test";
import { promisify } from "node:util";
import type { OutputLimits } from "../../src/files/select-outputs.ts";
import { openTestStore, type TestStore, touch } from "../support/file-store.ts";
import { noMounts } from "../support/no-mounts.ts";
import { platform } from "../support/platform.ts";

let files: TestStore;
let output: string;
beforeEach(async () => {
  files = await openTestStore();
  output = join(files.runs, "output");
  await mkdir(output);
});
afterEach(async () => {
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

const LIMITS: OutputLimits = { max_bytes: 1000, max_files: 10, max_depth: 5 };

async function leave(path: string, text: string): Promise<string> {
  const file = join(output, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const capture = (limits: Partial<OutputLimits> = {}) =>
  files.store.captureOutputs(output, "boxer-1", { ...LIMITS, ...limits });

test("files are in the store afterwards, under the run's id, and the directory is gone", async () => {
  await leave("result.txt", "42");
  await leave("deep/er/result.txt", "forty-two");
  assert.deepEqual(await capture(), {
    outputs: [
      { path: "output/boxer-1/deep/er/result.txt", size_bytes: 9 },
      { path: "output/boxer-1/result.txt", size_bytes: 2 },
    ],
    skipped: [],
    limit_exceeded: null,
  });
  assert.equal(await files.get("output/boxer-1/deep/er/result.txt"), "forty-two");
  assert.deepEqual(await readdir(files.runs), []);
});

test("the files are moved, not copied", async () => {
  const before = await stat(await leave("result", "42"));
  await capture();
  assert.equal((await stat(join(files.root, "output/boxer-1/result"))).ino, before.ino);
});

test("a run that left nothing adds nothing to the store", async () => {
  assert.deepEqual(await capture(), { outputs: [], skipped: [], limit_exceeded: null });
  assert.deepEqual(await files.list(), []);
  assert.deepEqual(await readdir(files.runs), []);
});

test("a directory that is gone already is as good as empty", async () => {
  await promisify(execFile)("rmdir", [output]);
  assert.deepEqual(await capture(), { outputs: [], skipped: [], limit_exceeded: null });
});

test("empty directories, links and special files do not come along", async () => {
  await leave("kept", "text");
  await mkdir(join(output, "empty/deeper"), { recursive: true });
  await symlink("/etc/passwd", join(output, "link"));
  await symlink("/etc", join(output, "directory-link"));
  await promisify(execFile)("mkfifo", [join(output, "fifo")]);
  const { outputs, skipped } = await capture();
  assert.deepEqual(outputs, [{ path: "output/boxer-1/kept", size_bytes: 4 }]);
  assert.deepEqual(skipped.map(({ path, reason }) => `${path}: ${reason}`).sort(), [
    "directory-link: it is a symbolic link",
    "fifo: it is a fifo",
    "link: it is a symbolic link",
  ]);
  assert.deepEqual(await files.list(), ["output/", "output/boxer-1/", "output/boxer-1/kept"]);
  assert.deepEqual(await readdir(files.runs), []);
});

test("owners, set-user-ID bits and the like are dropped; executable files stay so", async (context) => {
  const modes = { tool: 0o6777, locked: 0o000, plain: 0o666 };
  for (const [name, mode] of Object.entries(modes)) {
    const file = await leave(`directory/${name}`, "text");
    if (process.getuid?.() === 0) await chown(file, 65534, 65534);
    else if (name === "locked") return context.skip("needs root");
    await chmod(file, mode);
  }
  await chmod(join(output, "directory"), 0o3777);
  await capture();
  const kept = await Promise.all(
    ["", "tool", "locked", "plain"].map(async (name) => {
      const status = await stat(join(files.root, "output/boxer-1/directory", name));
      return `${name} ${(status.mode & 0o7777).toString(8)} ${status.uid} ${status.gid}`;
    }),
  );
  assert.deepEqual(kept, [" 755 0 0", "tool 755 0 0", "locked 644 0 0", "plain 644 0 0"]);
});

test("each name of a hard-linked file is a file of its own size", async () => {
  await link(await leave("one", "12345"), join(output, "two"));
  const { outputs, limit_exceeded } = await capture({ max_bytes: 10 });
  assert.deepEqual(
    outputs.map(({ size_bytes }) => size_bytes),
    [5, 5],
  );
  assert.equal(limit_exceeded, null);
  assert.equal(await files.get("output/boxer-1/two"), "12345");
});

test("a sparse file counts by its apparent size", async () => {
  await truncate(await leave("sparse", ""), 1e12);
  const { outputs, limit_exceeded } = await capture({ max_bytes: 1e11 });
  assert.deepEqual(outputs, []);
  assert.equal(limit_exceeded, "bytes");
  assert.deepEqual(await files.list(), []);
  assert.deepEqual(await readdir(files.runs), []);
});

test("past the limit of files as many as allowed are kept, and the rest is gone", async () => {
  for (const name of ["a", "b", "c", "d"]) await leave(name, name);
  const { outputs, limit_exceeded } = await capture({ max_files: 2 });
  assert.equal(limit_exceeded, "files");
  assert.equal(outputs.length, 2);
  for (const { path } of outputs) assert.equal(await files.get(path), path.at(-1));
  assert.equal((await readdir(join(files.root, "output/boxer-1"))).length, 2);
  assert.deepEqual(await readdir(files.runs), []);
});

test("names that are not UTF-8 are reported, and the others are kept", async () => {
  await leave("good", "text");
  await touch(output, "b\\377");
  const { outputs, skipped } = await capture();
  assert.deepEqual(outputs, [{ path: "output/boxer-1/good", size_bytes: 4 }]);
  assert.deepEqual(skipped, [{ path: "b\ufffd", reason: "its name is not UTF-8" }]);
});

test("awkward names survive", async () => {
  const names = [
    " ",
    "-rf",
    "line\nbreak",
    "back\\slash",
    "日本",
    "*",
    "$(id)",
    "x".repeat(255),
    "\ufeffmark",
  ];
  for (const name of names) await leave(name, name);
  const { outputs } = await capture();
  assert.deepEqual(outputs.map(({ path }) => path.slice("output/boxer-1/".length)).sort(), names.sort());
  for (const { path } of outputs) assert.equal(`output/boxer-1/${await files.get(path)}`, path);
});

test("nothing is published outside the outputs, whatever the id", async () => {
  await leave("result", "42");
  await assert.rejects(files.store.captureOutputs(output, "../../escape", LIMITS), { code: "invalid_path" });
  assert.deepEqual(await files.list(), []);
});

test("removing the outputs of a run leaves those of others", async () => {
  await leave("result", "42");
  await capture();
  await mkdir(output);
  await leave("result", "43");
  await files.store.captureOutputs(output, "boxer-2", LIMITS);
  await files.store.removeBelow("output/boxer-1");
  await files.store.removeBelow("output/boxer-1");
  await files.store.removeBelow("output/boxer-never");
  assert.deepEqual(await files.list(), ["output/", "output/boxer-2/", "output/boxer-2/result"]);
});

describe("outputs on a file system of their own", { skip: noMounts() }, () => {
  beforeEach(() => platform.mounts.tmpfs(output, { size_bytes: 1e6, inodes: 100, uid: 65534, gid: 65534 }));
  afterEach(async () => {
    await platform.mounts.unmount(output);
    await rmdir(output);
  });

  it("are copied, with the modes and owners of ours, and stay for the unmounting", async () => {
    await chmod(await leave("deep/er/tool", "#!/bin/sh"), 0o6777);
    await chmod(await leave("locked", "text"), 0o000);
    await link(await leave("hard", "12345"), join(output, "link"));
    await symlink("/etc/passwd", join(output, "symlink"));
    const { outputs, skipped } = await capture();
    const kept = await Promise.all(
      outputs.map(async ({ path, size_bytes }) => {
        const { mode, uid, gid } = await stat(join(files.root, path));
        return [path, size_bytes, (mode & 0o7777).toString(8), uid, gid, await files.get(path)];
      }),
    );
    assert.deepEqual(kept, [
      ["output/boxer-1/deep/er/tool", 9, "755", 0, 0, "#!/bin/sh"],
      ["output/boxer-1/hard", 5, "644", 0, 0, "12345"],
      ["output/boxer-1/link", 5, "644", 0, 0, "12345"],
      ["output/boxer-1/locked", 4, "644", 0, 0, "text"],
    ]);
    assert.deepEqual(skipped, [{ path: "symlink", reason: "it is a symbolic link" }]);
    assert.deepEqual((await readdir(output)).sort(), ["deep", "hard", "link", "locked", "symlink"]);
  });

  it("are told and not copied when they are not to be kept", async () => {
    await leave("result", "42");
    const { outputs } = await files.store.captureOutputs(output, "boxer-1", LIMITS, false);
    assert.deepEqual(outputs, [{ path: "output/boxer-1/result", size_bytes: 2 }]);
    assert.deepEqual(await files.list(), []);
  });

  it("that are none add nothing to the store", async () => {
    assert.deepEqual(await capture(), { outputs: [], skipped: [], limit_exceeded: null });
    assert.deepEqual(await files.list(), []);
  });

  it("with holes of a terabyte do not come to the disk", async () => {
    await truncate(await leave("sparse", ""), 2 ** 40);
    await leave("small", "text");
    const { outputs, skipped, limit_exceeded } = await capture();
    assert.deepEqual(outputs, [{ path: "output/boxer-1/small", size_bytes: 4 }]);
    assert.deepEqual(
      skipped.map(({ path }) => path),
      ["sparse"],
    );
    assert.equal(limit_exceeded, "bytes");
  });

  it("that are many all arrive", async () => {
    for (let index = 0; index < 50; index += 1) await leave(`d${index % 7}/${index}`, String(index));
    const { outputs } = await capture({ max_files: 50 });
    assert.equal(outputs.length, 50);
    for (const { path } of outputs) assert.equal(await files.get(path), path.split("/").at(-1));
  });
});
