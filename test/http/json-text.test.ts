import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { JsonString, JsonText, jsonResponse } from "../../src/http/json-text.ts";

const KIB = 1 << 10;
const MIB = 1 << 20;
/** The size of the pieces that are encoded ahead. */
const PIECE = 128 * KIB;

/** Tells a text of output that comes in chunks of some size. */
function heard(bytes: Uint8Array, chunk_bytes = bytes.byteLength): JsonText {
  const text = new JsonText();
  for (let start = 0; start < bytes.byteLength; start += chunk_bytes) {
    const kept = bytes.subarray(0, start + chunk_bytes);
    text.add(kept.subarray(start), kept);
  }
  return text;
}

/** Waits until it has had its turns, each after what else there was to do. */
async function turns(bytes: number): Promise<void> {
  for (let turn = 0; turn <= bytes / PIECE; turn += 1) await nextTurn();
}

/** The string that a JSON string stands for. */
function decoded({ pieces }: JsonString): string {
  return JSON.parse(`"${[...pieces].join("")}"`);
}

describe("the text of an output", () => {
  it("has U+FFFD for what is not UTF-8, and keeps a byte order mark", () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]);
    assert.equal(decoded(heard(bytes).end(bytes, false)), "\uFEFFa\uFFFD");
  });

  for (const [length, kept] of [
    [2, "a"],
    [3, "aé"],
    [4, "aé"],
    [5, "aé"],
    [6, "aé€"],
    [7, "aé€"],
    [9, "aé€"],
    [10, "aé€😀"],
  ] as const) {
    it(`leaves out a character of which the limit has cut off the end: cut after ${length} bytes`, () => {
      const bytes = Buffer.from("aé€😀").subarray(0, length);
      assert.equal(decoded(heard(bytes).end(bytes, true)), kept);
    });
  }

  it("shows half a character as U+FFFD where the program itself ended in it", () => {
    const bytes = Buffer.from("aé").subarray(0, 2);
    assert.equal(decoded(heard(bytes).end(bytes, false)), "a\uFFFD");
  });

  for (const chunk_bytes of [1, 1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE]) {
    it(`is the same whatever it is cut into: chunks of ${chunk_bytes} bytes`, () => {
      const hostile = Buffer.concat([
        Buffer.from('é€😀"\\\n\r\u0000\u007f\u2028'),
        Buffer.from([0xf0, 0x9f, 0xff]),
      ]);
      for (const shift of [0, 1, 2, 3]) {
        const bytes = Buffer.concat([Buffer.alloc(shift, "x"), Buffer.alloc(3 * PIECE + 7, hostile)]);
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
        const { pieces } = heard(bytes, chunk_bytes).end(bytes, false);
        assert.ok(`"${[...pieces].join("")}"` === JSON.stringify(text), `shifted by ${shift}`);
      }
    });
  }

  it("is encoded a piece at a turn while the guest runs, except for what is less than that", async () => {
    const bytes = Buffer.alloc(2 * PIECE + 5, "a");
    const text = heard(bytes, 1000);
    await turns(bytes.byteLength);
    bytes.fill("b");
    assert.equal(decoded(text.end(bytes, false)), `${"a".repeat(2 * PIECE)}bbbbb`);
  });

  it("is encoded after what else there is to do: nothing at once", async () => {
    const bytes = Buffer.alloc(2 * PIECE, "a");
    const text = heard(bytes, PIECE);
    bytes.fill("b");
    assert.equal(decoded(text.end(bytes, false)), "b".repeat(2 * PIECE));
    await turns(bytes.byteLength);
  });

  for (const turned of [false, true]) {
    it(`is whole, ${turned ? "partly encoded" : "nothing encoded"} when it ends`, async () => {
      const bytes = Buffer.alloc(5 * PIECE + 1, "é€");
      const text = heard(bytes.subarray(0, 3 * PIECE), PIECE);
      if (turned) await turns(PIECE);
      text.add(bytes.subarray(3 * PIECE), bytes);
      assert.equal(decoded(text.end(bytes, false)), bytes.toString());
    });
  }

  it("is whole though nothing was told any more from some time on", () => {
    const bytes = Buffer.alloc(3 * PIECE, "a");
    const text = heard(bytes.subarray(0, PIECE));
    assert.equal(decoded(text.end(bytes, false)), bytes.toString());
  });

  it("has nothing of a sandbox that was given up for another", async () => {
    const first = Buffer.alloc(PIECE, "a");
    const second = Buffer.alloc(2 * PIECE, "b");
    const text = heard(first);
    await turns(PIECE);
    text.add(second.subarray(0, PIECE), second.subarray(0, PIECE));
    text.add(second.subarray(PIECE), second);
    assert.equal(decoded(text.end(second, false)), second.toString());
    assert.equal(decoded(heard(first).end(new Uint8Array(), false)), "");
  });

  it("takes no more memory ahead than some MiB, and the rest is made as it is asked for", async () => {
    const bytes = Buffer.alloc(4 * MIB, 1);
    const text = heard(bytes, PIECE);
    await turns(bytes.byteLength);
    bytes.fill(2);
    const string = text.end(bytes, false);
    assert.ok(string.isLong);
    const seen = decoded(string);
    const ahead_chars = 6 * (seen.lastIndexOf("\u0001") + 1);
    assert.ok(ahead_chars >= 12 * MIB && ahead_chars <= 13 * MIB, `${ahead_chars} characters`);
    assert.equal(seen.length, bytes.byteLength);
  });

  it("is long while much is left to encode", async () => {
    const bytes = Buffer.alloc(5 * MIB, "a");
    assert.equal(heard(bytes, PIECE).end(bytes, false).isLong, true);
    const text = heard(bytes, PIECE);
    await turns(bytes.byteLength);
    assert.equal(text.end(bytes, false).isLong, false);
  });
});

describe("an answer in JSON", () => {
  const fields = { number: 1, text: 'a"\n', nothing: null, list: [{ a: 1 }], flag: true };

  it("says what JSON.stringify() says, with a type and a status", async () => {
    const response = jsonResponse(fields, 507);
    assert.equal(response.status, 507);
    assert.match(response.headers.get("content-type") ?? "", /^application\/json\b/);
    assert.equal(await response.text(), JSON.stringify(fields));
  });

  for (const isLong of [false, true]) {
    it(`holds strings that are encoded already, ${isLong ? "long" : "short"} ones`, async () => {
      const output = new JsonString(["é", '\\"', "😀"], isLong);
      const response = jsonResponse({ ...fields, output, empty: new JsonString([], isLong), last: 2 });
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { ...fields, output: 'é"😀', empty: "", last: 2 });
    });
  }

  it("lets others have their turn between the parts of a long string", async () => {
    const pieces = Array.from({ length: 50 }, () => "x".repeat(KIB));
    let turns = 0;
    let isOver = false;
    const count = async () => {
      for (; !isOver; turns += 1) await nextTurn();
    };
    const counted = count();
    await jsonResponse({ output: new JsonString(pieces, true) }).text();
    isOver = true;
    await counted;
    assert.ok(turns >= 40, `${turns} turns`);
  });

  it("makes a long string no faster than it is taken", async () => {
    let made = 0;
    function* pieces() {
      for (; made < 1000; made += 1) yield "x".repeat(KIB);
    }
    const reader = jsonResponse({ output: new JsonString(pieces(), true) }).body?.getReader();
    for (let taken = 0; taken < 4; taken += 1) await reader?.read();
    assert.ok(made > 0 && made < 10, `${made} pieces`);
    await reader?.cancel();
  });
});
