import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AddressRule,
  commonAddresses,
  lastAddress,
  matchesAddress,
  parseAddress,
} from "../../../src/network/egress/address-rule.ts";

const rule = (text: string, port: number | null = null): AddressRule => ({ ...parseAddress(text), port });

describe("an address or network is read", () => {
  const cases: [text: string, family: 4 | 6, cidr: string, last: string][] = [
    ["93.184.216.34", 4, "93.184.216.34/32", "93.184.216.34"],
    ["203.0.113.0/24", 4, "203.0.113.0/24", "203.0.113.255"],
    ["0.0.0.0/0", 4, "0.0.0.0/0", "255.255.255.255"],
    ["2001:DB8::1", 6, "2001:db8::1/128", "2001:db8::1"],
    ["2001:db8::/32", 6, "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["2001:0db8:0:0:0:0:0:1", 6, "2001:db8::1/128", "2001:db8::1"],
  ];
  for (const [text, family, cidr, last] of cases) {
    it(text, () => {
      const read = rule(text);
      assert.deepEqual([read.family, read.cidr, lastAddress(read)], [family, cidr, last]);
    });
  }
});

describe("an address or network is refused", () => {
  const bad = [
    "",
    "1.2.3",
    "127.1",
    "010.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.256",
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "1.2.3.4/",
    "1.2.3.4/8/8",
    "1.2.3.4/a",
    "203.0.113.7/24",
    "::1/129",
    "2001:db8::1/32",
    "fe80::1%eth0",
    "::ffff:1.2.3.4",
    "::ffff:a00:1/128",
    ":::",
    "1:2",
  ];
  for (const text of bad) it(JSON.stringify(text), () => assert.throws(() => parseAddress(text), Error));
});

it("a network is for its addresses, and for none of the other family", () => {
  assert.ok(matchesAddress(rule("93.184.216.0/24"), "93.184.216.255"));
  assert.ok(!matchesAddress(rule("93.184.216.0/24"), "93.184.217.0"));
  assert.ok(!matchesAddress(rule("0.0.0.0/0"), "2606:2800::1"));
  assert.ok(matchesAddress(rule("2606:2800::/32"), "2606:2800::1"));
  assert.ok(!matchesAddress(rule("::/0"), "93.184.216.34"));
});

describe("what two rules have in common", () => {
  const cases: [AddressRule, AddressRule, string | undefined][] = [
    [rule("10.0.0.0/8"), rule("10.1.0.0/16"), "10.1.0.0/16 null"],
    [rule("10.0.0.0/8", 80), rule("10.1.0.0/16"), "10.1.0.0/16 80"],
    [rule("10.0.0.0/8", 80), rule("10.1.0.0/16", 443), undefined],
    [rule("10.0.0.0/16"), rule("10.1.0.0/16"), undefined],
    [rule("0.0.0.0/0"), rule("::/0"), undefined],
    [rule("::/0", 443), rule("2606:2800::1", 443), "2606:2800::1/128 443"],
  ];
  for (const [a, b, expected] of cases) {
    it(`${a.cidr} and ${b.cidr}: ${expected}`, () => {
      for (const [one, other] of [[a, b] as const, [b, a] as const]) {
        const common = commonAddresses(one, other);
        assert.equal(common && `${common.cidr} ${common.port}`, expected);
      }
    });
  }
});
