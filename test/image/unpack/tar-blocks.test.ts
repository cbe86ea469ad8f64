import assert from "node:assert/strict";
import { test } from "node:test";
import { tarBlocks } from "../../../src/image/unpack/tar-blocks.ts";
import { chunksOf } from "../../support/unpack-fixture.ts";

const BYTES = Buffer.from(Array.from({ length: 512 * 300 + 100 }, (_, index) => index % 251));

for (const size of [1000, 511, 512, 513, 65_536, BYTES.length]) {
  test(`cuts chunks of ${size} bytes into whole blocks, with the remainder last`, async () => {
    const pieces: Buffer[] = [];
    for await (const piece of tarBlocks(chunksOf(BYTES, size))) pieces.push(piece);
    assert.ok(Buffer.concat(pieces).equals(BYTES));
    assert.equal(pieces.pop()?.length, 100);
    assert.ok(pieces.every((piece) => piece.length % 512 === 0 && piece.length <= 65_536));
  });
}

test("gives nothing for nothing", async () => {
  for await (const _ of tarBlocks(chunksOf(Buffer.alloc(0)))) assert.fail();
});
