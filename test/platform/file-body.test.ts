import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { streamedFileBody } from "../../src/platform/file-body.ts";
import { openFilesBelow } from "../support/file-store.ts";
import { until } from "../support/leftovers.ts";
import { platform } from "../support/platform.ts";

const { fileBody } = platform;
const contents = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
let directory: string;
let path: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxer-body-"));
  path = join(directory, "file");
  await writeFile(path, contents);
});
after(() => rm(directory, { recursive: true, force: true }));

const bytesOf = async (body: BodyInit) => Buffer.from(await new Response(body).arrayBuffer());

for (const [start, length] of [
  [0, 300_000],
  [0, 0],
  [1, 1],
  [65_535, 65_538],
  [299_999, 1],
] as const) {
  test(`a body of ${length} bytes from ${start} is those`, async () => {
    const body = await fileBody(await open(path), { start, length });
    assert.ok((await bytesOf(body)).equals(contents.subarray(start, start + length)));
  });
}

test("the body is of the file that was opened, whatever has its path by now", async () => {
  const other = join(directory, "other");
  await writeFile(other, "old");
  const file = await open(other);
  await rm(other);
  await writeFile(other, "new");
  assert.equal((await bytesOf(await fileBody(file, { start: 0, length: 3 }))).toString(), "old");
});

test("a streamed body that is given up closes the file", async () => {
  const own = join(directory, "given-up");
  await writeFile(own, contents);
  const body = await streamedFileBody(await open(own), { start: 0, length: contents.length });
  const reader = new Response(body).body?.getReader();
  await reader?.read();
  assert.equal((await openFilesBelow(own)).length, 1);
  await reader?.cancel();
  assert.equal((await openFilesBelow(own)).length, 0);
});

test("a streamed body reads no further than it is asked to", async () => {
  const file = await open(path);
  let reads = 0;
  const counted = new Proxy(file, {
    get(target, name) {
      if (name === "read") reads += 1;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const body = await streamedFileBody(counted, { start: 0, length: contents.length });
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  assert.equal(reads, 0);
  await reader.read();
  assert.equal(reads, 1);
  await reader.cancel();
});

test("in the end no file stays open", () =>
  until(async () => (await openFilesBelow(directory)).length === 0));
