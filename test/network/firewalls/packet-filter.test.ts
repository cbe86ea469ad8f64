import assert from "node:assert/strict";
import { test } from "node:test";
import { type BaseChain, isWithin, lets, type Packet } from "../../../src/network/firewalls/packet-filter.ts";
import { parseIptables } from "../../../src/network/firewalls/parse-iptables.ts";

const OUT: Packet = {
  version: 4,
  iifname: "bx0a1b2c3d0",
  oifnames: ["eth0"],
  saddr: "10.231.0.0/16",
  state: "new",
};
const chainOf = (rules: string): BaseChain => {
  const [forward] = parseIptables("ip", `-P FORWARD DROP\n-N A\n-N B\n${rules}`, "bx0a1b2c3d");
  return forward ?? assert.fail();
};

for (const [what, rules, passes] of [
  ["no rule leaves it to the policy", "", false],
  ["a jump comes back", "-A FORWARD -j A\n-A FORWARD -j ACCEPT", true],
  ["a return ends a chain", "-A A -j RETURN\n-A A -j DROP\n-A FORWARD -j A\n-A FORWARD -j ACCEPT", true],
  ["a goto does not come back", "-A FORWARD -g A\n-A FORWARD -j ACCEPT", false],
  ["the first verdict counts", "-A A -j DROP\n-A FORWARD -j A\n-A FORWARD -j ACCEPT", false],
  ["chains that go round end", "-A A -j B\n-A B -j A\n-A FORWARD -j A", false],
  ["a target that is no chain decides nothing", "-A FORWARD -j LOG\n-A FORWARD -j ACCEPT", true],
  ["what cannot be told of is not for us", "-A FORWARD -m mark --mark 0x1 -j ACCEPT", false],
  ["nor what drops", "-A FORWARD -m mark --mark 0x1 -j DROP\n-A FORWARD -j ACCEPT", true],
  ["unless it was made for us", "-A FORWARD -i bx0a1b2c3d+ -m mark --mark 0x1 -j ACCEPT", true],
] as const) {
  test(`of a chain: ${what}`, () => assert.equal(lets(chainOf(rules), OUT), passes));
}

test("a chain of the other family is no matter", () => {
  assert.equal(lets(chainOf(""), { ...OUT, version: 6 }), true);
});

test("networks within others", () => {
  for (const [network, wanted, is] of [
    ["10.231.0.0/16", "10.0.0.0/8", true],
    ["10.231.0.0/16", "10.231.0.0/16", true],
    ["10.231.0.0/16", "10.231.0.0/24", false],
    ["10.231.0.0/16", "10.231.0.1", false],
    ["10.231.0.0/16", "fd00::/8", false],
    ["fdb0::/48", "fd00::/8", true],
    [undefined, "10.0.0.0/8", undefined],
  ] as const)
    assert.equal(isWithin(network, wanted), is, `${network} ${wanted}`);
});
