import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { guestInit } from "../../../src/sandbox/warm/guest-init.ts";
import { systemCallsOf } from "../../../src/sandbox/warm/system-calls.ts";
import {
  buildTape,
  FAILED,
  IF_ERRNO,
  LAST_FAILURE,
  LAST_FAILURE_BYTES,
  MAX_TAPE_BYTES,
  TAPE_ADDRESS,
  type TapeRecord,
} from "../../../src/sandbox/warm/tape.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const calls = systemCallsOf("x64");
const FAILURE: TapeRecord[] = [
  { call: calls.write, args: [1, LAST_FAILURE, LAST_FAILURE_BYTES], step: 0, label: FAILED, fail: "exit" },
  { call: calls.exit_group, args: [9], step: 0, label: "exit", ok: "exit" },
];
const say = (text: string): TapeRecord => ({ call: calls.write, args: [1, text, text.length], step: 1 });
const exit = (code: number): TapeRecord => ({ call: calls.exit_group, args: [code], step: 1 });

function tapeOf(...records: TapeRecord[]): Buffer {
  const tape = buildTape([...records, ...FAILURE]);
  assert.ok(tape);
  return Buffer.from(tape);
}

for (const [arch, machine] of [
  ["x64", 62],
  ["arm64", 183],
] as const) {
  test(`for ${arch} it is a static executable that can be read and executed, with room for a tape`, () => {
    const elf = Buffer.from(guestInit(arch));
    assert.equal(elf.toString("latin1", 0, 7), "\x7fELF\x02\x01\x01");
    assert.deepEqual([elf.readUInt16LE(16), elf.readUInt16LE(18), elf.readUInt32LE(20)], [2, machine, 1]);
    const [headers, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(56)];
    assert.deepEqual([headers, elf.readUInt16LE(54), count], [64, 56, 2]);
    const segments = [0, 1].map((index) => elf.subarray(headers + index * 56));
    const field = (index: number, at: number) => Number(segments[index]?.readBigUInt64LE(at));
    assert.deepEqual(
      segments.map((each) => [each.readUInt32LE(0), each.readUInt32LE(4)]),
      [
        [1, 5],
        [1, 6],
      ],
    );
    assert.deepEqual([field(0, 8), field(0, 32), field(0, 40)], [0, elf.length, elf.length]);
    assert.equal(Number(elf.readBigUInt64LE(24)), field(0, 16) + headers + 2 * 56);
    assert.deepEqual([field(1, 16), field(1, 32)], [TAPE_ADDRESS, 0]);
    assert.ok(field(1, 40) >= MAX_TAPE_BYTES + 16, "as much as the program reads at most");
    assert.ok(elf.length < 400);
  });
}

test("both listings have the address, the magic and the greatest length as they are on a tape", () => {
  const codeOf = (arch: "x64" | "arm64") => Buffer.from(guestInit(arch)).subarray(64 + 2 * 56);
  const x64 = codeOf("x64");
  assert.equal(x64.readUInt32LE(2), TAPE_ADDRESS);
  assert.ok(x64.includes("TAPE"));
  assert.ok(x64.includes(Buffer.from([0xc1, 0xe8, Math.log2(MAX_TAPE_BYTES)])), "shr eax");
  const arm64 = codeOf("arm64");
  const words = Array.from({ length: arm64.length / 4 }, (_, index) => arm64.readUInt32LE(index * 4));
  const move = (register: number, value: number, high: 0 | 1, keep: boolean) =>
    ((keep ? 0xf2800000 : 0xd2800000) | (high << 21) | (value << 5) | register) >>> 0;
  assert.equal(words[0], move(19, TAPE_ADDRESS >>> 16, 1, false));
  const magic = Buffer.from("TAPE");
  const narrow = (word: number) => (word & ~0x80000000) >>> 0;
  assert.ok(words.includes(narrow(move(10, magic.readUInt16LE(0), 0, false))));
  assert.ok(words.includes(narrow(move(10, magic.readUInt16LE(2), 1, true))));
  const shift = (0x53007c00 | (Math.log2(MAX_TAPE_BYTES) << 16) | (9 << 5) | 9) >>> 0;
  assert.ok(words.includes(shift), "lsr w9, w9");
});

const noNative = process.arch === "x64" && process.platform === "linux" ? false : "this is no x86-64 Linux";

describe("run on this machine", { skip: noNative }, () => {
  /** Runs the program; the chunks come one by one. */
  async function run(t: { after(undo: () => unknown): void }, ...chunks: Uint8Array[]) {
    const path = join(await tempDirectory(t), "init");
    await writeFile(path, guestInit("x64"), { mode: 0o755 });
    const child = spawn(path, { stdio: ["pipe", "pipe", "inherit"], env: {} });
    const out: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    // It may end without having read all.
    child.stdin.on("error", () => {});
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    for (const chunk of chunks) {
      await new Promise((resolve) => child.stdin.write(chunk, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.stdin.end();
    return { code: await ended, out: Buffer.concat(out) };
  }

  it("does what is on the tape", async (t) => {
    const { code, out } = await run(t, tapeOf(say("one "), say("two"), exit(7)));
    assert.deepEqual([code, out.toString()], [7, "one two"]);
  });

  it("reads nothing behind the tape: that is the command's", async (t) => {
    const cat = { call: calls.execve, args: ["/bin/cat", ["cat", "-"], []], step: 1 };
    const { code, out } = await run(t, Buffer.concat([tapeOf(say("<"), cat), Buffer.from("the rest")]));
    assert.deepEqual([code, out.toString()], [0, "<the rest"]);
  });

  it("waits for a tape that comes bit by bit", async (t) => {
    const tape = tapeOf(say("whole"), exit(0));
    const chunks = [1, 5, 10, 16, 17, 100].map((end, index, ends) =>
      tape.subarray(ends[index - 1] ?? 0, end),
    );
    const { code, out } = await run(t, ...chunks, tape.subarray(100));
    assert.deepEqual([code, out.toString()], [0, "whole"]);
  });

  it("reads the longest tape", async (t) => {
    const spare = MAX_TAPE_BYTES - tapeOf(say("x"), exit(0)).length;
    const long = tapeOf({ ...say("x"), args: [1, "x".repeat(spare), 1] }, exit(0));
    assert.ok(long.length > MAX_TAPE_BYTES - 16);
    const { code, out } = await run(t, long);
    assert.deepEqual([code, out.toString()], [0, "x"]);
  });

  it("keeps the step and the errno of what fails", async (t) => {
    const { code, out } = await run(t, tapeOf({ call: calls.chdir, args: ["/no/such"], step: 5 }, exit(0)));
    assert.equal(code, 9);
    assert.deepEqual([out.readUInt32LE(0), out.readUInt32LE(4), out.length], [5, 2, 8]);
  });

  for (const [errno, expected] of [
    [2, "that one"],
    [3, "another"],
  ] as const) {
    it(`goes on by the errno of what failed: ${expected}`, async (t) => {
      const { out } = await run(
        t,
        tapeOf(
          { call: calls.chdir, args: ["/no/such"], step: 5, fail: 1 },
          { call: IF_ERRNO, args: [errno], step: 0, fail: 3 },
          say("that one"),
          exit(0),
          say("another"),
          exit(0),
        ),
      );
      assert.equal(out.toString(), expected);
    });
  }

  it("hands all six arguments to a call", async (t) => {
    const [PROT_READ, MAP_PRIVATE_ANONYMOUS, MMAP, EINVAL] = [1, 0x22, 9, 22];
    const map = (offset: number) => ({
      call: MMAP,
      args: [0, 4096, PROT_READ, MAP_PRIVATE_ANONYMOUS, -1, offset],
      step: 5,
    });
    assert.equal((await run(t, tapeOf(map(0), exit(0)))).code, 0);
    assert.equal((await run(t, tapeOf(map(1), exit(0)))).out.readUInt32LE(4), EINVAL);
  });

  it("ends with 125 when its input cannot be read", async (t) => {
    const directory = await tempDirectory(t);
    const path = join(directory, "init");
    await writeFile(path, guestInit("x64"), { mode: 0o755 });
    const unreadable = await open(join(directory, "written"), "w");
    const child = spawn(path, { stdio: [unreadable.fd, "ignore", "inherit"], env: {} });
    const code = await new Promise((resolve) => child.on("close", resolve));
    await unreadable.close();
    assert.equal(code, 125);
  });

  const tape = tapeOf(say("never"), exit(0));
  const wrong = Buffer.from(tape);
  wrong.write("tape");
  const lengths = [0, 16, MAX_TAPE_BYTES + 17, 0xffffffff].map((length) => {
    const bytes = Buffer.from(tape);
    bytes.writeUInt32LE(length, 4);
    return { name: `a tape of ${length} bytes`, input: bytes, code: 125 };
  });
  for (const { name, input, code } of [
    { name: "nothing", input: Buffer.alloc(0), code: 0 },
    { name: "half a header", input: tape.subarray(0, 8), code: 0 },
    { name: "half a tape", input: tape.subarray(0, 100), code: 125 },
    { name: "something else", input: wrong, code: 125 },
    ...lengths,
  ]) {
    it(`ends with ${code} and does nothing, given ${name}`, async (t) => {
      const result = await run(t, input);
      assert.deepEqual([result.code, result.out.toString()], [code, ""]);
    });
  }
});
