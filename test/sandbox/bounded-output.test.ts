import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OutputCollector } from "../../src/sandbox/bounded-output.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Collects chunks; tells the text kept, whether it was cut, and how often the overflow was reported. */
async function collect(limit: number, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const collector = new OutputCollector(limit);
  let overflows = 0;
  await collector.collect(streamOf(chunks), () => {
    overflows += 1;
  });
  const { bytes: kept, truncated } = collector.output;
  return { text: Buffer.from(kept).toString(), truncated, overflows };
}

async function* streamOf(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  yield* chunks;
}

describe("what is kept", () => {
  const cases: [string, number, string[], string, boolean][] = [
    ["nothing of nothing", 10, [], "", false],
    ["all below the limit", 10, ["abc", "def"], "abcdef", false],
    ["all exactly at the limit", 6, ["abc", "def"], "abcdef", false],
    ["all exactly at the limit in one chunk", 3, ["abc"], "abc", false],
    ["the limit, one byte over", 6, ["abc", "defg"], "abcdef", true],
    ["the limit, one byte over in a chunk of its own", 6, ["abcdef", "g"], "abcdef", true],
    ["the limit of one huge chunk", 2, ["abcdefghijkl"], "ab", true],
    ["nothing at a limit of 0", 0, ["a"], "", true],
    ["all at the limit, though empty chunks follow", 3, ["abc", "", ""], "abc", false],
    ["nothing after the overflow, though it would fit", 3, ["ab", "cd", "e"], "abc", true],
  ];
  for (const [name, limit, chunks, text, truncated] of cases) {
    test(name, async () => {
      const overflows = truncated ? 1 : 0;
      assert.deepEqual(await collect(limit, chunks.map(bytes)), { text, truncated, overflows });
    });
  }
});

test("the overflow is told at once, and the stream is read on to its end", async () => {
  const collector = new OutputCollector(1);
  const seen: string[] = [];
  async function* stream() {
    yield bytes("ab");
    seen.push("asked for more");
    yield bytes("cd");
    seen.push("asked again");
  }
  await collector.collect(stream(), () => seen.push("overflow"));
  assert.deepEqual(seen, ["overflow", "asked for more", "asked again"]);
});

test("what is kept is told part by part, and no more than that", async () => {
  const collector = new OutputCollector(5);
  const told: string[] = [];
  await collector.collect(
    streamOf(["abc", "", "def", "g"].map(bytes)),
    () => told.push("overflow"),
    (part) => told.push(Buffer.from(part).toString()),
  );
  assert.deepEqual(told, ["abc", "de", "overflow"]);
});

test("a stream that breaks ends the output; what came before counts", async () => {
  async function* broken() {
    yield bytes("before");
    throw new Error("EIO");
  }
  assert.deepEqual(await collect(100, broken()), { text: "before", truncated: false, overflows: 0 });
});

test("what was read so far can be had while the stream goes on", async () => {
  const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
  const collector = new OutputCollector(100);
  async function* stream() {
    yield bytes("early");
    await mayEnd;
    yield bytes(" late");
  }
  const reading = collector.collect(stream(), () => {});
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(Buffer.from(collector.output.bytes).toString(), "early");
  letEnd();
  await reading;
  assert.equal(Buffer.from(collector.output.bytes).toString(), "early late");
});

test("what was kept is a copy: a reader may use its buffer again", async () => {
  async function* reusing() {
    const buffer = new Uint8Array(3);
    for (const text of ["abc", "def", "ghi"]) {
      buffer.set(bytes(text));
      yield buffer;
    }
  }
  assert.equal((await collect(100, reusing())).text, "abcdefghi");
});

test("a guest that writes byte by byte costs memory for its bytes, not for its writes", async () => {
  const count = 1_000_000;
  async function* dripping() {
    for (let index = 0; index < count; index += 1) yield Uint8Array.of(120);
  }
  const before = process.memoryUsage().rss;
  const { text } = await collect(count, dripping());
  const grown = process.memoryUsage().rss - before;
  assert.equal(text.length, count);
  assert.ok(grown < 100 * count, `${Math.round(grown / 2 ** 20)} MB for ${count} writes of one byte`);
});
