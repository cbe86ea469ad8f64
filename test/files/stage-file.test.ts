import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { stageFile } from "../../src/files/stage-file.ts";
import { chunksOf } from "../support/file-store.ts";

let staging: string;
beforeEach(async () => {
  staging = await mkdtemp(join(tmpdir(), "boxer-staging-"));
});
afterEach(() => rm(staging, { recursive: true, force: true }));

async function* twoParts(): AsyncGenerator<Uint8Array> {
  yield* chunksOf("first ");
  yield* chunksOf("second");
}

test("all chunks end up in one file", async () => {
  const file = await stageFile(staging, twoParts(), 12, false);
  assert.equal(file.size_bytes, 12);
  assert.equal(await readFile(file.path, "utf8"), "first second");
});

test("the file can be read and executed by everybody, and written by its owner only", async () => {
  const { path } = await stageFile(staging, chunksOf("#!/bin/sh\n"), 100, false);
  assert.equal((await stat(path)).mode & 0o7777, 0o755);
});

test("a file of exactly the limit is taken, one byte more is not", async () => {
  await stageFile(staging, chunksOf("12345"), 5, false);
  await assert.rejects(stageFile(staging, chunksOf("123456"), 5, false), {
    code: "payload_too_large",
    message: "The upload is larger than 5 bytes (upload_limit_bytes)",
  });
});

test("an empty stream makes an empty file", async () => {
  assert.equal((await stageFile(staging, (async function* () {})(), 0, true)).size_bytes, 0);
});

test("nothing stays behind when the source fails or the limit is passed", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* chunksOf("half");
    throw new Error("connection lost");
  }
  await assert.rejects(stageFile(staging, broken(), 100, false), /connection lost/);
  await assert.rejects(stageFile(staging, twoParts(), 7, false), { code: "payload_too_large" });
  assert.deepEqual(await readdir(staging), []);
});

test("a full disk is told as such, and nothing stays behind", async (context) => {
  const mount = promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", staging]);
  if (!(await mount.then(Boolean, () => false))) return context.skip("mounting is not allowed here");
  try {
    await assert.rejects(stageFile(staging, chunksOf("x".repeat(200_000)), 1e9, false), {
      code: "disk_full",
    });
    assert.deepEqual(await readdir(staging), []);
  } finally {
    await promisify(execFile)("umount", [staging]);
  }
});
