import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { BlobStore } from "../../../src/image/blobs/blob-store.ts";
import { TemporaryError } from "../../../src/image/retry.ts";
import { chunked, MemorySource } from "../support/memory-source.ts";
import { TestClock } from "../support/test-clock.ts";

const { signal } = new AbortController();
let root = "";
let source: MemorySource;
const progress: [blob: string, downloaded_bytes: number][] = [];
beforeEach(async () => {
  progress.length = 0;
  root = await mkdtemp(join(tmpdir(), "boxer-blobs-"));
  for (const directory of ["tmp", "blobs/sha256"]) await mkdir(join(root, directory), { recursive: true });
  source = new MemorySource();
});
afterEach(() => rm(root, { recursive: true, force: true }));

function openStore(max_parallel_downloads = 3): BlobStore {
  const [directory, tmp] = [join(root, "blobs"), join(root, "tmp")];
  return new BlobStore({
    directory,
    tmp,
    max_parallel_downloads,
    clock: new TestClock(),
    onProgress: (blob, bytes) => progress.push([blob, bytes]),
  });
}
const files = async () => [
  ...(await readdir(join(root, "tmp"))),
  ...(await readdir(join(root, "blobs/sha256"))),
];

test("a blob lies under its digest while somebody holds it, and is gone with the last", async () => {
  const store = openStore();
  const content = randomBytes(5000);
  const blob = source.addBlob(content);
  const first = store.hold(blob.digest);
  const second = store.hold(blob.digest);
  const path = await store.fetch(source, blob, signal);
  assert.equal(path, join(root, "blobs/sha256", blob.digest.slice(7)));
  assert.deepEqual(await readFile(path), content);
  first();
  assert.equal(await store.fetch(source, blob, signal), path);
  assert.equal(source.opened.length, 1);
  second();
  await store.close(new Error("closing"));
  assert.deepEqual(await files(), []);
});

test("tells how much of a blob is here, from nothing to all", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(2500));
  const release = store.hold(blob.digest);
  await store.fetch(source, blob, signal);
  assert.deepEqual(
    progress,
    [0, 1000, 2000, 2500].map((bytes) => [blob.digest, bytes]),
  );
  release();
  await store.close(new Error("closing"));
});

test("a blob that comes back while it is being removed is there", async () => {
  const store = openStore();
  // Nothing is as quickly downloaded as nothing.
  const blob = source.addBlob(Buffer.alloc(0));
  for (let round = 0; round < 100; round++) {
    const release = store.hold(blob.digest);
    const path = await store.fetch(source, blob, signal);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await readFile(path)).length, 0);
    release();
  }
  await store.close(new Error("closing"));
  assert.deepEqual(await files(), []);
});

test("a blob is downloaded once for all who want it at the same time", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(5000));
  const release = store.hold(blob.digest);
  await Promise.all(Array.from({ length: 50 }, () => store.fetch(source, blob, signal)));
  assert.equal(source.opened.length, 1);
  release();
});

test("no more blobs are on their way than allowed", async () => {
  const store = openStore(2);
  let running = 0;
  let most = 0;
  source.tamper = async function* (bytes) {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield* chunked(bytes);
    running--;
  };
  const blobs = Array.from({ length: 6 }, () => source.addBlob(randomBytes(100)));
  const releases = blobs.map((blob) => store.hold(blob.digest));
  await Promise.all(blobs.map((blob) => store.fetch(source, blob, signal)));
  assert.equal(most, 2);
  for (const release of releases) release();
});

test("a failed download leaves nothing and is not remembered", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(5000));
  const release = store.hold(blob.digest);
  source.tamper = () => chunked(Buffer.alloc(5000));
  await assert.rejects(store.fetch(source, blob, signal), /content of another/);
  assert.deepEqual(await files(), []);
  source.tamper = (bytes) => chunked(bytes);
  await store.fetch(source, blob, signal);
  assert.equal((await files()).length, 1);
  release();
});

test("one whose own source is good does not suffer from another's", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(5000));
  const bad = new MemorySource();
  const releases = [store.hold(blob.digest), store.hold(blob.digest)];
  const [failed, good] = await Promise.allSettled([
    store.fetch(bad, blob, signal),
    store.fetch(source, blob, signal),
  ]);
  assert.equal(failed.status, "rejected");
  assert.equal(good.status, "fulfilled");
  for (const release of releases) release();
});

test("one who goes away does not stop the download of the others; the last one does", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(5000));
  const started = Promise.withResolvers<void>();
  let aborted: AbortSignal | undefined;
  source.tamper = async function* (_bytes, _blob, _offset, downloadSignal) {
    aborted = downloadSignal;
    started.resolve();
    await new Promise((_, reject) =>
      downloadSignal.addEventListener("abort", () => reject(downloadSignal.reason)),
    );
    yield Buffer.alloc(0);
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const releases = [store.hold(blob.digest), store.hold(blob.digest)];
  const fetches = [first, second].map((caller) => store.fetch(source, blob, caller.signal));
  await started.promise;
  first.abort(new Error("gone"));
  await assert.rejects(fetches[0] as Promise<string>, /gone/);
  assert.equal(aborted?.aborted, false);
  second.abort(new Error("gone too"));
  await assert.rejects(fetches[1] as Promise<string>, /gone too/);
  assert.equal(aborted?.aborted, true);
  for (const release of releases) release();
  await store.close(new Error("closing"));
  assert.deepEqual(await files(), []);
});

test("close stops downloads and leaves no partial files", async () => {
  const store = openStore();
  const blob = source.addBlob(randomBytes(5000));
  source.tamper = async function* (bytes) {
    yield bytes.subarray(0, 100);
    throw new TemporaryError("broke");
  };
  const release = store.hold(blob.digest);
  const fetching = store.fetch(source, blob, signal);
  fetching.catch(() => {});
  await store.close(new Error("closing"));
  await assert.rejects(fetching, /closing/);
  release();
  assert.deepEqual(await files(), []);
});
