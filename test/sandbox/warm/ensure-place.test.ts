import assert from "node:assert/strict";
import { test } from "node:test";
import { ensurePlace, type WriteRecord } from "../../../src/sandbox/warm/ensure-place.ts";
import { buildTape, type TapeRecord } from "../../../src/sandbox/warm/tape.ts";
import { playTape } from "./play-tape.ts";

const [EEXIST, EROFS] = [17, 30];
const NUMBERS = { mkdirat: 1, mknodat: 2, readlinkat: 3 } as const;
const END = 99;
const write: WriteRecord = (call, args, jumps = {}) => ({
  call: NUMBERS[call as keyof typeof NUMBERS],
  args,
  step: 4,
  ...jumps,
});
const mark = (label: string): TapeRecord => ({
  call: END,
  args: [label],
  step: 0,
  label,
  ok: label,
  fail: label,
});

/** Which calls are made, on which paths; `failing` says how those fail that do. */
function play(records: readonly TapeRecord[], failing: Record<string, number> = {}): string[] {
  const tape = buildTape([...records, mark("done"), mark("failed")]);
  assert.ok(tape);
  const lines: string[] = [];
  playTape(tape, (call, args, memory) => {
    const name = Object.entries(NUMBERS).find(([, number]) => number === call)?.[0];
    const line = name ? `${name} ${memory.text(args[1] ?? 0)}` : memory.text(args[0] ?? 0);
    lines.push(line);
    return call === END ? "end" : (failing[line] ?? 0);
  });
  return lines;
}

test("a directory is made with those above it", () => {
  const lines = play(ensurePlace(write, "/a/b", "directory"));
  assert.deepEqual(lines, ["mkdirat /a", "mkdirat /a/b", "done"]);
});

test("a file is made in directories that are made for it", () => {
  const lines = play(ensurePlace(write, "/a/b/c", "file"));
  assert.deepEqual(lines, ["mkdirat /a", "mkdirat /a/b", "mknodat /a/b/c", "done"]);
});

test("a file in the root needs no directory", () => {
  assert.deepEqual(play(ensurePlace(write, "/c", "file")), ["mknodat /c", "done"]);
});

test("the root needs nothing that could fail", () => {
  assert.equal(
    play(ensurePlace(write, "/", "directory"), { "mkdirat /": EEXIST, "readlinkat /": 22 }).at(-1),
    "done",
  );
});

test("what is there stays, unless it is a link", () => {
  const there = { "mkdirat /a": EEXIST, "mknodat /a/b": EEXIST };
  const records = ensurePlace(write, "/a/b", "file");
  const all = ["mkdirat /a", "readlinkat /a", "mknodat /a/b", "readlinkat /a/b"];
  assert.deepEqual(play(records, { ...there, "readlinkat /a": 22, "readlinkat /a/b": 22 }), [...all, "done"]);
  assert.deepEqual(play(records, { ...there, "readlinkat /a": 22 }), [...all, "failed"]);
  assert.deepEqual(play(records, there), [...all.slice(0, 2), "failed"]);
});

test("any other failure is one, and nothing more is made", () => {
  const records = ensurePlace(write, "/a/b", "file");
  assert.deepEqual(play(records, { "mkdirat /a": EROFS }), ["mkdirat /a", "failed"]);
});

test("directories that places share are made once", () => {
  const made = new Set<string>();
  const places = ["/a/b/x", "/a/b/y", "/a/z"];
  const lines = play(places.flatMap((place) => ensurePlace(write, place, "file", made)));
  assert.deepEqual(
    lines.filter((line) => line.startsWith("mkdirat")),
    ["mkdirat /a", "mkdirat /a/b"],
  );
  assert.deepEqual([...made], ["/a", "/a/b"]);
});
