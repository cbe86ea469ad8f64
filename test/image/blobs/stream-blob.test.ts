import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { streamBlob } from "../../../src/image/blobs/stream-blob.ts";
import { digestOf } from "../../../src/image/digest.ts";
import type { Descriptor } from "../../../src/image/image-source.ts";
import { TemporaryError } from "../../../src/image/retry.ts";
import { chunked, MemorySource } from "../support/memory-source.ts";
import { TestClock } from "../support/test-clock.ts";

const content = randomBytes(10_000);

async function read(source: MemorySource, blob: Descriptor, signal = new AbortController().signal) {
  const clock = new TestClock();
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamBlob(source, blob, { clock, signal })) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), clock };
}

function sourceOf(bytes: Buffer): { source: MemorySource; blob: Descriptor } {
  const source = new MemorySource();
  return { source, blob: source.addBlob(bytes) };
}

test("a blob comes as it is", async () => {
  const { source, blob } = sourceOf(content);
  assert.deepEqual((await read(source, blob)).bytes, content);
});

test("an empty blob is not even asked for", async () => {
  const { source, blob } = sourceOf(Buffer.alloc(0));
  assert.equal((await read(source, blob)).bytes.length, 0);
  assert.deepEqual(source.opened, []);
});

test("a blob may have a sha512 digest", async () => {
  const { source, blob } = sourceOf(content);
  source.openBlob = async () => chunked(content);
  const sha512 = { ...blob, digest: digestOf(content, "sha512") };
  assert.deepEqual((await read(source, sha512)).bytes, content);
});

test("after a broken connection the rest is fetched, and the whole is verified", async () => {
  const { source, blob } = sourceOf(content);
  source.tamper = async function* (bytes, _, offset) {
    yield* chunked(bytes.subarray(0, 3000));
    if (offset < 7000) throw new TemporaryError("connection broke");
  };
  const { bytes, clock } = await read(source, blob);
  assert.deepEqual(bytes, content);
  assert.deepEqual(
    source.opened.map(({ offset }) => offset),
    [0, 3000, 6000, 9000],
  );
  assert.deepEqual(clock.sleeps, [500, 500, 500], "progress starts the count of failures anew");
});

test("a stream that ends early without an error is taken up again too", async () => {
  const { source, blob } = sourceOf(content);
  source.tamper = (bytes) => chunked(bytes.subarray(0, 6000));
  assert.deepEqual((await read(source, blob)).bytes, content);
});

test("a source that gives nothing any more is given up after five times", async () => {
  const { source, blob } = sourceOf(content);
  source.tamper = (bytes, _, offset) => chunked(offset === 0 ? bytes.subarray(0, 4000) : Buffer.alloc(0));
  await assert.rejects(read(source, blob), {
    code: "image_pull_failed",
    message: `blob ${blob.digest} ended after 4000 of 10000 bytes`,
  });
  assert.equal(source.opened.length, 5);
});

describe("a source that lies is found out, and not asked again", () => {
  const flipped = Buffer.from(content);
  flipped[9999] = (flipped[9999] ?? 0) ^ 1;
  const cases: [name: string, lie: Buffer, reason: RegExp][] = [
    ["another content of the same size", flipped, /has the content of another, [0-9a-f]{64}$/],
    [
      "more than the manifest says",
      Buffer.concat([content, Buffer.from("x")]),
      /has more than the 10000 bytes/,
    ],
  ];
  for (const [name, lie, reason] of cases) {
    test(name, async () => {
      const { source, blob } = sourceOf(content);
      source.tamper = () => chunked(lie);
      await assert.rejects(read(source, blob), { code: "image_pull_failed", message: reason });
      assert.equal(source.opened.length, 1);
    });
  }

  test("a lie in the part after a broken connection", async () => {
    const { source, blob } = sourceOf(content);
    source.tamper = (bytes, _, offset) =>
      chunked(offset === 0 ? bytes.subarray(0, 5000) : flipped.subarray(offset));
    await assert.rejects(read(source, blob), { message: /has the content of another/ });
  });

  test("an endless stream is cut at the size of the manifest", async () => {
    const { source, blob } = sourceOf(content);
    let sent = 0;
    source.tamper = async function* () {
      for (;;) {
        sent += 1000;
        yield Buffer.alloc(1000);
      }
    };
    await assert.rejects(read(source, blob), /has more than/);
    assert.equal(sent, 11_000);
  });
});

test("one who stops reading half way closes the stream", async () => {
  const { source, blob } = sourceOf(content);
  let isClosed = false;
  source.tamper = async function* (bytes) {
    try {
      yield* chunked(bytes);
    } finally {
      isClosed = true;
    }
  };
  for await (const _ of streamBlob(source, blob, {
    clock: new TestClock(),
    signal: new AbortController().signal,
  }))
    break;
  assert.equal(isClosed, true);
});
