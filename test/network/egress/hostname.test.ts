import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isHostname } from "../../../src/network/egress/hostname.ts";

const LONGEST = [63, 63, 63, 61].map((length) => "x".repeat(length)).join(".");

describe("a name of a host", () => {
  const good = ["example.com", "a", "xn--bcher-kva.example", "r3---sn.example", "_x._tcp.example", LONGEST];
  for (const name of good) it(`may be ${name.slice(0, 30)}`, () => assert.ok(isHostname(name)));

  const bad = [
    "",
    ".",
    "a..b",
    ".a",
    "a.",
    "A.example",
    "a b",
    "a\0b",
    "a/b",
    "bücher.example",
    `${"x".repeat(64)}.example`,
    `x${LONGEST}`,
    "a\n",
  ];
  for (const name of bad)
    it(`is not ${JSON.stringify(name.slice(0, 30))}`, () => assert.ok(!isHostname(name)));
});
