import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildTape,
  FAILED,
  IF_ERRNO,
  LAST_FAILURE,
  MAX_TAPE_BYTES,
  TAPE_ADDRESS,
  type TapeRecord,
} from "../../../src/sandbox/warm/tape.ts";
import { playTape, TapeMemory } from "./play-tape.ts";

const END: TapeRecord = { call: 99, args: [], step: 9, label: FAILED, ok: FAILED };

function built(records: readonly TapeRecord[]): Uint8Array {
  const tape = buildTape(records);
  assert.ok(tape);
  return tape;
}

/** The numbers of the calls in the order in which they are done; `failing` gives their errnos. */
function order(records: readonly TapeRecord[], failing: Record<number, number> = {}): number[] {
  const calls: number[] = [];
  playTape(built(records), (call) => {
    calls.push(call);
    return call === END.call ? "end" : (failing[call] ?? 0);
  });
  return calls;
}

test("the header tells the magic and the length of the tape", () => {
  const tape = Buffer.from(built([END]));
  assert.equal(tape.toString("latin1", 0, 4), "TAPE");
  assert.equal(tape.readUInt32LE(4), tape.length);
  assert.equal(tape.length, 16 + 80);
});

test("arguments are numbers, or addresses of what they stand for", () => {
  const args = [-100, "text ä", ["a", "text ä"], Buffer.from([1, 2, 3]), LAST_FAILURE] as const;
  const tape = built([{ call: 7, args, step: 3 }, END]);
  const memory = new TapeMemory(tape);
  const [call, , , step, number, text = 0, texts = 0, bytes = 0, head, none] = memory.u64s(
    TAPE_ADDRESS + 16,
    10,
  );
  assert.deepEqual([call, step, number, head, none], [7, 3, -100, TAPE_ADDRESS, 0]);
  assert.equal(memory.text(text), "text ä");
  assert.deepEqual(memory.texts(texts), ["a", "text ä"]);
  assert.deepEqual([...memory.bytes(bytes, 3)], [1, 2, 3]);
  for (const address of [text, texts, bytes]) assert.equal(address % 8, 0);
  assert.equal(memory.u64s(texts, 2)[1], text, "each text is there once");
});

test("a record goes on to the next, and to the record of failures when it fails", () => {
  const records = [{ call: 1, args: [], step: 0 }, { call: 2, args: [], step: 0 }, END];
  assert.deepEqual(order(records), [1, 2, 99]);
  assert.deepEqual(order(records, { 1: 5 }), [1, 99]);
});

test("jumps go to labels, or so many records on", () => {
  const records: TapeRecord[] = [
    { call: 1, args: [], step: 0, ok: "far", fail: 2 },
    { call: 2, args: [], step: 0 },
    { call: 3, args: [], step: 0 },
    { call: 4, args: [], step: 0, label: "far" },
    END,
  ];
  assert.deepEqual(order(records), [1, 4, 99]);
  assert.deepEqual(order(records, { 1: 2 }), [1, 3, 4, 99]);
});

test("the last errno can be asked for", () => {
  const records: TapeRecord[] = [
    { call: 1, args: [], step: 0, fail: 1 },
    { call: IF_ERRNO, args: [17], step: 0 },
    { call: 2, args: [], step: 0 },
    END,
  ];
  assert.deepEqual(order(records, { 1: 17 }), [1, 2, 99]);
  assert.deepEqual(order(records, { 1: 13 }), [1, 99]);
});

test("what cannot be laid out is refused", () => {
  const record = { call: 1, args: [], step: 0 };
  assert.throws(() => buildTape([record]), /no record is called 1/);
  assert.throws(() => buildTape([{ ...END, ok: "nowhere" }]), /no record is called nowhere/);
  assert.throws(() => buildTape([{ ...END, args: ["a\0b"] }]), /NUL/);
  assert.throws(() => buildTape([{ ...END, args: [1, 2, 3, 4, 5, 6, 7] }]), /7 arguments/);
});

test("a tape may fill the room for it, and there is none that does not fit", () => {
  const room = MAX_TAPE_BYTES - 16 - 80;
  assert.equal(built([{ ...END, args: ["x".repeat(room - 1)] }]).length, MAX_TAPE_BYTES);
  assert.equal(buildTape([{ ...END, args: ["x".repeat(room)] }]), null);
});
