import assert from "node:assert/strict";
import { test } from "node:test";
import { untilAborted } from "../../../src/image/unpack/until-aborted.ts";
import { chunksOf } from "../../support/unpack-fixture.ts";

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

test("gives the same chunks, with a signal and without", async () => {
  for (const signal of [undefined, new AbortController().signal]) {
    const chunks = await collect(untilAborted(chunksOf(Buffer.from("hello"), 2), signal));
    assert.equal(Buffer.concat(chunks).toString(), "hello");
  }
});

test("ends at once when aborted, though the source never says another word", async () => {
  const abort = new AbortController();
  async function* silent(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  const chunks = untilAborted(silent(), abort.signal);
  assert.equal((await chunks.next()).value, 1);
  const next = chunks.next();
  abort.abort(new Error("enough"));
  await assert.rejects(next, { message: "enough" });
});

test("asks for no chunk once aborted", async () => {
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw new Error("unheard");
  }
  const abort = new AbortController();
  const chunks = untilAborted(failing(), abort.signal);
  assert.equal((await chunks.next()).value, 1);
  abort.abort(new Error("enough"));
  await assert.rejects(chunks.next(), { message: "enough" });
});

test("ends the source when the consumer leaves, and passes its error on", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      throw new Error("its own");
    } finally {
      ended = true;
    }
  }
  for await (const _ of untilAborted(source(), new AbortController().signal)) break;
  assert.ok(ended);
  await assert.rejects(collect(untilAborted(source(), new AbortController().signal)), { message: "its own" });
});
