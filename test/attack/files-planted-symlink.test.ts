import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { silentLog } from "../../src/core/log.ts";
import { openFileStore } from "../../src/files/file-store.ts";
import { listTree, openTestStore, type TestStore } from "../support/file-store.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";

// Nobody but the store writes to its directory; should a link get there by other means, it leads nowhere.

let files: TestStore;
let outside: string;
beforeEach(async () => {
  files = await openTestStore();
  outside = join(dirname(files.root), "outside");
  await mkdir(join(outside, "directory"), { recursive: true });
  await writeFile(join(outside, "secret"), "secret");
  await writeFile(join(outside, "directory/secret"), "secret");
  await files.put("a/file", "mine");
  await symlink(outside, join(files.root, "link"));
  await symlink("../outside", join(files.root, "a/relative"));
  await symlink(join(outside, "secret"), join(files.root, "a/secret"));
  await symlink("/", join(files.root, "output"));
  await symlink("a", join(files.root, "inside"));
});
afterEach(async () => {
  assert.deepEqual(await listTree(outside), ["directory/", "directory/secret", "secret"]);
  assert.equal(await readFile(join(outside, "secret"), "utf8"), "secret");
  assert.equal(await readFile(join(outside, "directory/secret"), "utf8"), "secret");
  assert.deepEqual(await readdir(files.staging), []);
  await files.remove();
});

const READS = [
  "link/secret",
  "link/directory/secret",
  "a/relative/secret",
  "a/secret",
  "output/etc/passwd",
  "inside/file",
];

for (const path of READS) {
  test(`${path} is not read through the link`, async () => {
    await assert.rejects(files.store.open(path), { code: "not_found" });
  });

  test(`${path} is not given to a run through the link`, async () => {
    const run = await mkdtemp(join(files.runs, "run-"));
    await assert.rejects(files.store.hold([path], run), { code: "unknown_file" });
    assert.deepEqual(await readdir(run), []);
  });
}

for (const path of [
  "link/new",
  "link/secret",
  "link/directory/new",
  "link/new/new",
  "a/relative/new",
  "inside/new",
]) {
  test(`${path} is not written through the link`, async () => {
    await assert.rejects(files.put(path, "evil"), { code: "invalid_path", field: "path" });
    assert.deepEqual(await listTree(join(files.root, "a")), ["file", "relative", "secret"]);
  });
}

test("an upload does not replace a link", async () => {
  await assert.rejects(files.put("a/secret", "evil"), { code: "invalid_path", message: /not a file/ });
  await assert.rejects(files.put("link", "evil"), { code: "invalid_path", message: /not a file/ });
});

test("outputs are not captured through the link", async () => {
  const source = join(files.runs, "output");
  await mkdir(source);
  await writeFile(join(source, "result"), "evil");
  await assert.rejects(
    files.store.captureOutputs(source, "tmp", { max_bytes: 10, max_files: 10, max_depth: 10 }),
    /output is not a directory/,
  );
  assert.deepEqual(await readdir(files.runs), []);
});

for (const path of [...READS, "link", "a/relative", "inside", "output"]) {
  test(`${path} is neither listed, removed nor archived through the link`, async () => {
    assert.deepEqual(await files.store.list(path, { after: "", limit: 10 }), { files: [], next: undefined });
    assert.deepEqual(await files.store.remove(path), { files: 0, bytes: 0 });
    assert.deepEqual(await files.store.removeBelow(path), { files: 0, bytes: 0 });
    let size = 0;
    for await (const chunk of files.store.archive(path)) size += chunk.byteLength;
    assert.equal(size, 1024, "an empty archive");
    assert.deepEqual(await listTree(join(files.root, "a")), ["file", "relative", "secret"]);
  });
}

test("a list of all files passes the links over", async () => {
  const { files: listed } = await files.store.list("", { after: "", limit: 10 });
  assert.deepEqual(
    listed.map(({ path }) => path),
    ["a/file"],
  );
});

test("what expires or makes room is not removed through a link", async () => {
  const { root, staging } = files;
  const config = { files_ttl_secs: 1, files_quota_bytes: 1, files_fsync: false };
  const later = () => Date.now() + 3_600_000;
  const again = await openFileStore({ root, staging, log: silentLog, platform, config, now: later });
  await until(async () => !(await readdir(join(root, "a"))).includes("file"));
  await again.close();
});

test("a file that a run used is not removed through a link that took its directory's place", async () => {
  await files.put("b/secret", "mine");
  const hold = await files.store.hold(["b/secret"], await mkdtemp(join(files.runs, "run-")));
  await promisify(execFile)("sh", ["-ec", 'rm -r "$1/b"; ln -s ../outside "$1/b"', "sh", files.root]);
  await hold.release({ remove: true });
});

test("a fifo in the store does not keep a reader waiting", async () => {
  await promisify(execFile)("mkfifo", [join(files.root, "fifo")]);
  await assert.rejects(files.store.open("fifo"), { code: "not_found" });
});
