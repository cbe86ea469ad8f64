import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { answerArchive } from "../../src/http/files-archive.ts";
import { openFilesBelow } from "../support/file-store.ts";
import { type FilesServer, startFilesServer } from "../support/files-server.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";

const run = promisify(execFile);
const COUNT = 40;
const MEGABYTE = 2 ** 20;
/** Cannot be compressed, so that an archive of some tens of them is more than sockets hold. */
const NOISE = randomBytes(MEGABYTE).toString("latin1");
const names = (group: string) =>
  Array.from({ length: COUNT }, (_, index) => `${group}/${String(index).padStart(2, "0")}`);

let files: FilesServer;
before(async () => {
  files = await startFilesServer();
});
after(async () => {
  await until(async () => (await openFilesBelow(files.root)).length === 0);
  await files.remove();
});

/** Asks for the archive of `all`, does something when its first bytes are there, and gives the names that GNU tar sees. */
async function archiveWhile(action: () => Promise<unknown>): Promise<string[]> {
  const response = await files.fetch("/files/archive?prefix=all");
  const reader = response.body?.getReader() ?? assert.fail("no body");
  const chunks = [(await reader.read()).value ?? assert.fail("no bytes")];
  await action();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  const tar = spawn("tar", ["-tvzf", "-"]);
  const listed = Array.fromAsync(tar.stdout);
  tar.stdin.end(Buffer.concat(chunks));
  assert.deepEqual(await once(tar, "close"), [0, null]);
  const lines = Buffer.concat(await listed)
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  for (const line of lines) assert.equal(line[2], String(Buffer.byteLength(NOISE)), line.join(" "));
  return lines.map((line) => line.at(-1) ?? "");
}

async function fill(): Promise<void> {
  for (const name of [...names("a"), ...names("b"), "c/last"]) await files.put(`all/${name}`, NOISE);
}

test("an archive goes on without the part that is removed while it is sent, and GNU tar takes it", async () => {
  await fill();
  const remove = async () => {
    const response = await files.fetch("/files?prefix=all/b", { method: "DELETE" });
    assert.equal((await response.json()).removed, COUNT);
  };
  assert.deepEqual(await archiveWhile(remove), [...names("a"), "c/last"]);
});

test("an archive of what is wholly removed meanwhile ends early, and is an archive all the same", async () => {
  await fill();
  const listed = await archiveWhile(() => files.fetch("/files?prefix=all", { method: "DELETE" }));
  assert.deepEqual(listed, names("a").slice(0, listed.length));
  assert.equal((await files.fetch("/files/archive?prefix=all")).status, 404);
});

test("a fault under way cuts the answer: it does not pass for a whole archive", async () => {
  const store = {
    list: () => files.store.list("", { after: "", limit: 1 }),
    async *archive() {
      yield new TextEncoder().encode(NOISE);
      throw new Error("a fault");
    },
  };
  await files.put("beside", "");
  const server = await platform.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => answerArchive(store, request),
  });
  const home = await mkdtemp(join(tmpdir(), "boxer-archive-"));
  try {
    const bytes = await bytesUntilEnd(`http://127.0.0.1:${server.port}/files/archive`);
    await writeFile(join(home, "cut.tar.gz"), bytes);
    assert.throws(() => gunzipSync(bytes));
    await assert.rejects(run("tar", ["-tzf", join(home, "cut.tar.gz")]));
  } finally {
    await server.stop(0);
    await rm(home, { recursive: true });
  }
});

/** What comes until the end of an answer, orderly or not. */
async function bytesUntilEnd(url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = (await fetch(url)).body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      chunks.push(next.value);
  } catch {
    // The connection was cut.
  }
  return Buffer.concat(chunks);
}
