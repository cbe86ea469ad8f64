import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";
import { frame, readFrames } from "../../../src/network/dns/tcp-frames.ts";

async function read(chunks: Buffer[], most_bytes = 10): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of readFrames(Readable.from(chunks) as Socket, most_bytes))
    messages.push(String(message));
  return messages;
}

test("messages are found however they are cut into chunks", async () => {
  const bytes = Buffer.concat(["one", "", "three"].map((text) => frame(Buffer.from(text))));
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    assert.deepEqual(await read(chunks), ["one", "", "three"], `by ${size}`);
  }
});

test("a message that is cut off is none", async () => {
  assert.deepEqual(await read([frame(Buffer.from("one")), Buffer.from([0, 5, 1])]), ["one"]);
});

test("a message that is too long is refused by its length alone", async () => {
  assert.deepEqual(await read([frame(Buffer.alloc(10))], 10), ["\0".repeat(10)]);
  await assert.rejects(read([Buffer.from([0, 11])], 10), /too long/);
});
