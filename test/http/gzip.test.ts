import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { gzip } from "../../src/http/gzip.ts";

const CHUNK = randomBytes(100_000);

/** So many chunks; tells how many were taken, and whether it was ended. */
function sourceOf(count: number, fault?: Error) {
  const state = { taken: 0, ended: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (; state.taken < count; state.taken += 1) yield CHUNK;
      if (fault) throw fault;
    } finally {
      state.ended = true;
    }
  }
  return { state, source: generate() };
}

test("what comes out is what went in, compressed", async () => {
  for (const count of [0, 1, 50]) {
    const compressed = Buffer.concat(await Array.fromAsync(gzip(sourceOf(count).source)));
    assert.ok(gunzipSync(compressed).equals(Buffer.concat(new Array(count).fill(CHUNK))), String(count));
  }
});

test("the source is asked only as fast as the result is taken", async () => {
  const { state, source } = sourceOf(1000);
  const compressed = gzip(source);
  await compressed.next();
  let taken = -1;
  while (taken !== state.taken) {
    taken = state.taken;
    for (let count = 0; count < 1000; count += 1) await turn();
  }
  assert.ok(taken < 20, String(taken));
  await compressed.return(undefined);
});

test("ending it early ends the source, at whatever moment", async () => {
  for (const reads of [1, 2, 3, 10, 40]) {
    const { state, source } = sourceOf(1000);
    const compressed = gzip(source);
    for (let read = 0; read < reads; read += 1) await compressed.next();
    await compressed.return(undefined);
    assert.ok(state.ended, String(reads));
  }
});

test("a fault of the source is thrown, and what came until then is no whole stream", async () => {
  for (const count of [0, 50]) {
    const chunks: Uint8Array[] = [];
    await assert.rejects(async () => {
      for await (const chunk of gzip(sourceOf(count, new Error("a fault")).source)) chunks.push(chunk);
    }, /a fault/);
    assert.throws(() => gunzipSync(Buffer.concat(chunks)));
  }
});
