import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkPort, parseAddress, parseNetwork } from "../../src/network/destination.ts";

describe("what is told to nft is written by us", () => {
  for (const [cidr, family, text] of [
    ["93.184.216.34", "ip", "93.184.216.34/32"],
    ["93.184.216.34/24", "ip", "93.184.216.0/24"],
    ["0.0.0.0/0", "ip", "0.0.0.0/0"],
    ["2A00::1/32", "ip6", "2a00:0:0:0:0:0:0:0/32"],
    ["::1", "ip6", "0:0:0:0:0:0:0:1/128"],
  ] as const) {
    it(cidr, () => assert.deepEqual(parseNetwork(cidr), { family, text }));
  }

  for (const hostile of [
    "",
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "a.example",
    "1.2.3.4 accept",
    "1.2.3.4/8; flush ruleset",
    "::/0\n",
  ]) {
    it(`${JSON.stringify(hostile)} is no network`, () => {
      assert.throws(() => parseNetwork(hostile), { code: "invalid_request" });
    });
  }

  for (const hostile of ["", "1.2.3.4/32", "fe80::1%eth0", "1.2.3.4\n", "::1 }", "a.example"]) {
    it(`${JSON.stringify(hostile)} is no address`, () => {
      assert.throws(() => parseAddress(hostile), { code: "invalid_request" });
    });
  }

  it("only ports are ports", () => {
    assert.equal(checkPort(65_535), 65_535);
    for (const wrong of [0, -1, 65_536, 1.5, Number.NaN])
      assert.throws(() => checkPort(wrong), { code: "invalid_request" });
  });
});
