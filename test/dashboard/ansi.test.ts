import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ansiToHtml } from "../../src/dashboard/ansi.ts";
import { excerptOf } from "../../src/dashboard/try/excerpt.ts";

describe("colours become classes", () => {
  const cases: [string, string, string][] = [
    ["a colour and its end", "\u001b[31mred\u001b[0m plain", '<span class="ansi-f1">red</span> plain'],
    ["an empty SGR is a reset", "\u001b[1;4mx\u001b[my", '<span class="ansi-bold ansi-underline">x</span>y'],
    ["bright and background", "\u001b[92;44mx", '<span class="ansi-f10 ansi-b4">x</span>'],
    ["the first of 256 colours", "\u001b[38;5;9mx", '<span class="ansi-f9">x</span>'],
    ["the others of them are plain", "\u001b[38;5;123mx", "x"],
    [
      "the end of one effect only",
      "\u001b[1;31ma\u001b[22mb",
      '<span class="ansi-bold ansi-f1">a</span><span class="ansi-f1">b</span>',
    ],
    [
      "a colour of 2^24 does not eat what follows",
      "\u001b[38;2;1;2;3;1mx",
      '<span class="ansi-bold">x</span>',
    ],
  ];
  for (const [name, text, expected] of cases) test(name, () => assert.equal(ansiToHtml(text).text, expected));
});

describe("every other sequence is dropped", () => {
  const cases: [string, string, string][] = [
    ["cursor and erase", "a\u001b[2J\u001b[1;1Hb\u001b[?25l", "ab"],
    ["a title (OSC) ended by BEL", "a\u001b]0;title\u0007b", "ab"],
    ["a link (OSC 8) ended by ST", "\u001b]8;;http://evil/\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["a lone escape", "a\u001b", "a"],
    ["a string that never ends", "a\u001b]0;never", "a"],
  ];
  for (const [name, text, expected] of cases) test(name, () => assert.equal(ansiToHtml(text).text, expected));
});

test("what is coloured is escaped as all else", () => {
  assert.equal(
    ansiToHtml("\u001b[31m<img src=x>\u001b[0m").text,
    '<span class="ansi-f1">&lt;img src=x&gt;</span>',
  );
});

test("a carriage return ends a line", () => {
  assert.equal(ansiToHtml("1%\r2%\r\n3%").text, "1%\n2%\n3%");
});

test("a change of colour for each letter does not blow up the page", () => {
  const text = Array.from({ length: 50_000 }, (_, index) => `\u001b[3${index % 8}mx`).join("");
  assert.ok(ansiToHtml(text).text.length < 250_000);
});

describe("output that has come in part", () => {
  const text = "a\u001b[1;31mré🙂d\u001b[0m\u001b]0;title\u0007<b>\u001b[2Kend\u001b[38;5;9mx";
  const bytes = new TextEncoder().encode(text);
  const shown = (markup: string) => markup.replace(/<[^>]*>/g, "");
  const whole = shown(ansiToHtml(text).text);
  for (let length = 0; length <= bytes.length; length += 1) {
    test(`${length} bytes of it show the beginning of the whole, and nothing else`, () => {
      const part = ansiToHtml(excerptOf(bytes.subarray(0, length), true).head).text;
      assert.ok(whole.startsWith(shown(part)), part);
      assert.ok(!part.includes("\u001b"));
    });
  }
});
