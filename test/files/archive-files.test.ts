import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { archiveFiles } from "../../src/files/archive-files.ts";
import { StoreTree } from "../../src/files/store-tree.ts";
import { StoreUsage } from "../../src/files/store-usage.ts";
import { openFilesBelow, openTestStore, type TestStore } from "../support/file-store.ts";

const run = promisify(execFile);
let files: TestStore;
let tree: StoreTree;
beforeEach(async () => {
  files = await openTestStore();
  tree = new StoreTree(files.root, new StoreUsage(0, Number.POSITIVE_INFINITY));
});
afterEach(async () => {
  assert.deepEqual(await openFilesBelow(files.root), []);
  await files.remove();
});

async function* each(paths: readonly string[]): AsyncGenerator<string> {
  yield* paths;
}
const archive = (paths: readonly string[]) => archiveFiles(tree, each(paths), (path) => path);
const bytesOf = async (chunks: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(chunks));

/** What GNU tar says of an archive that it reads to its end; it fails at one that is cut or malformed. */
async function gnuTar(bytes: Uint8Array, ...options: string[]): Promise<string> {
  const child = spawn("tar", ["-f", "-", ...options], { env: { ...process.env, TZ: "UTC", LC_ALL: "C" } });
  const output = Array.fromAsync(child.stdout);
  const complaint = Array.fromAsync(child.stderr);
  child.stdin.end(bytes);
  const [code] = await once(child, "close");
  assert.equal(code, 0, Buffer.concat(await complaint).toString());
  return Buffer.concat(await output).toString();
}

test("sizes beside the blocks of tar and the chunks of ours come whole", async () => {
  const sizes = [0, 1, 511, 512, 513, 131_071, 131_072, 131_073, 300_000];
  for (const size of sizes) await files.put(String(size), "x".repeat(size));
  const bytes = await bytesOf(archive(sizes.map(String)));
  assert.equal(bytes.length % 512, 0);
  const listed = (await gnuTar(bytes, "-tv")).trim().split("\n");
  assert.deepEqual(
    listed.map((line) => line.split(/\s+/)[2]),
    sizes.map(String),
  );
  assert.equal(await gnuTar(bytes, "-xO", "300000"), "x".repeat(300_000));
});

test("owners are root, modes those of the files without set-user-ID bits, times whole seconds", async () => {
  await files.put("file", "text");
  await utimes(join(files.root, "file"), 1, 1_700_000_000.9);
  const line = await gnuTar(await bytesOf(archive(["file"])), "-tv", "--numeric-owner");
  assert.match(line, /^-rwxr-xr-x 0\/0 +4 2023-11-14 22:13 file\n$/);
});

test("the times that a guest may set are brought to what tar can hold", async () => {
  for (const [name, time_s] of [
    ["before", -5e9],
    ["after", 1e10],
  ] as const) {
    await files.put(name, "text");
    await run("touch", ["-d", `@${time_s}`, join(files.root, name)]);
  }
  const listed = await gnuTar(await bytesOf(archive(["before", "after"])), "-tv");
  assert.match(listed, /1970-01-01 00:00 before\n.* 2242-\S+ \S+ after\n/);
});

test("what is gone, or is no file, is left out", async () => {
  await files.put("directory/file", "text");
  const paths = ["gone", "directory", "directory/file", "directory/file/below"];
  assert.equal(await gnuTar(await bytesOf(archive(paths)), "-t"), "directory/file\n");
  assert.equal(await gnuTar(await bytesOf(archive([])), "-t"), "");
});

test("a file that is removed while it is read comes whole, and those removed before it not at all", async () => {
  const text = "0123456789".repeat(100_000);
  for (const name of ["a", "b", "c"]) await files.put(name, text);
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive(["a", "b", "c"])) {
    chunks.push(chunk);
    if (chunks.length === 2) for (const name of ["a", "b"]) await files.store.remove(name);
  }
  const bytes = Buffer.concat(chunks);
  assert.equal(await gnuTar(bytes, "-t"), "a\nc\n");
  assert.equal(await gnuTar(bytes, "-xO"), text + text);
});

test("a file that is cut while it is read has its size all the same, and what follows is in its place", async () => {
  await files.put("cut", "x".repeat(1_000_000));
  await files.put("next", "text");
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive(["cut", "next"])) {
    chunks.push(chunk);
    if (chunks.length === 2) await truncate(join(files.root, "cut"), 10);
  }
  const bytes = Buffer.concat(chunks);
  assert.equal((await gnuTar(bytes, "-xO", "cut")).length, 1_000_000);
  assert.equal(await gnuTar(bytes, "-xO", "next"), "text");
});

test("sizes that ustar cannot say are said by pax, and no more than a chunk is read ahead", async () => {
  await mkdir(join(files.root, "sparse"));
  const size = 8 ** 11;
  await writeFile(join(files.root, "sparse/huge"), "");
  await truncate(join(files.root, "sparse/huge"), size);
  const source = archive(["sparse/huge"]);
  const { value: header } = await source.next();
  assert.match(Buffer.from(header ?? []).toString("latin1"), new RegExp(`size=${size}\n`));
  assert.equal((await source.next()).value?.byteLength, 131_072);
  await source.return(undefined);
  assert.equal((await stat(join(files.root, "sparse/huge"))).size, size);
});
