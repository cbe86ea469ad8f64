import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../../src/network/egress/address-rule.ts";
import { isSpecialNetwork } from "../../../src/network/egress/special-network.ts";
import { isForbidden } from "./is-forbidden.ts";

describe("a network is special as a whole or not at all", () => {
  const cases: [string, boolean][] = [
    ["10.0.0.0/8", true],
    ["10.1.2.3", true],
    ["fc00::/7", true],
    ["169.254.169.254", true],
    ["93.184.216.0/24", false],
    ["192.168.0.0/15", false],
    ["172.0.0.0/8", false],
    ["0.0.0.0/0", false],
    ["0.0.0.0/1", false],
    ["::/0", false],
    ["2606:2800::/32", false],
  ];
  for (const [cidr, expected] of cases) {
    it(`${cidr}: ${expected}`, () =>
      assert.equal(isSpecialNetwork({ ...parseAddress(cidr), port: null }, isForbidden), expected));
  }
});
