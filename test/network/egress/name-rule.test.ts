import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  matchesName,
  type NameRule,
  namesOverlap,
  parseName,
} from "../../../src/network/egress/name-rule.ts";

describe("a name is read", () => {
  const cases: [text: string, name: string, wildcard: boolean][] = [
    ["api.example.com", "api.example.com", false],
    ["API.Example.COM", "api.example.com", false],
    ["api.example.com.", "api.example.com", false],
    ["bücher.example", "xn--bcher-kva.example", false],
    ["BÜCHER.example", "xn--bcher-kva.example", false],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", false],
    ["ex。ample。com", "ex.ample.com", false],
    ["my_host.example.com", "my_host.example.com", false],
    ["*.example.org", "example.org", true],
    ["*.Bücher.example.", "xn--bcher-kva.example", true],
    ["*.com", "com", true],
  ];
  for (const [text, name, wildcard] of cases) {
    it(text, () => assert.deepEqual(parseName(text), { name, wildcard }));
  }
});

describe("a name is refused", () => {
  const bad = [
    "",
    ".",
    "*",
    "*.",
    "**.example.org",
    "*.*.example.org",
    "api.*.example.org",
    "*example.org",
    "db",
    "localhost",
    "x.localhost",
    "*.localhost",
    "LOCALHOST.",
    "a..b",
    ".a.b",
    "a.b..",
    "a b.example",
    "a%2eb.example",
    "a@b.example",
    "user.example/path",
    "a\0.example",
    "a.example\n",
    "127.1",
    "0x7f.1",
    "１２７.0.0.1",
    "1.2.3.4.5",
    "x.0x1f",
    "xn--a.example",
    `${"x".repeat(64)}.example`,
    `${"x.".repeat(130)}example`,
  ];
  for (const text of bad)
    it(JSON.stringify(text).slice(0, 40), () => assert.throws(() => parseName(text), Error));
});

const rule = (text: string, port: number | null = null): NameRule => ({ ...parseName(text), port });

describe("a wildcard", () => {
  const wildcard = rule("*.example.org");
  for (const name of ["a.example.org", "a.b.c.example.org"]) {
    it(`is for ${name}`, () => assert.ok(matchesName(wildcard, name)));
  }
  for (const name of ["example.org", "badexample.org", "a.example.org.evil", "example.org.a", "org"]) {
    it(`is not for ${name}`, () => assert.ok(!matchesName(wildcard, name)));
  }
});

it("a name without a wildcard is for itself only", () => {
  assert.ok(matchesName(rule("example.org"), "example.org"));
  assert.ok(!matchesName(rule("example.org"), "a.example.org"));
});

describe("rules have names in common", () => {
  const cases: [NameRule, NameRule, boolean][] = [
    [rule("a.b"), rule("a.b"), true],
    [rule("a.b"), rule("c.b"), false],
    [rule("a.b", 80), rule("a.b", 443), false],
    [rule("a.b", 80), rule("a.b"), true],
    [rule("*.b"), rule("a.b"), true],
    [rule("*.b"), rule("*.b"), true],
    [rule("*.b"), rule("*.a.b"), true],
    [rule("*.a.b"), rule("*.c.b"), false],
    [rule("*.a.b"), rule("a.b"), false],
  ];
  for (const [a, b, expected] of cases) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}: ${expected}`, () => {
      assert.equal(namesOverlap(a, b), expected);
      assert.equal(namesOverlap(b, a), expected);
    });
  }
});
