import assert from "node:assert/strict";
import { test } from "node:test";
import { lets, type Packet } from "../../../src/network/firewalls/packet-filter.ts";
import { parseIptables } from "../../../src/network/firewalls/parse-iptables.ts";

const OUT: Packet = {
  version: 4,
  iifname: "bx0a1b2c3d0",
  oifnames: ["eth0"],
  saddr: "10.231.0.0/16",
  state: "new",
};
const BACK: Packet = { ...OUT, iifname: "eth0", oifnames: ["bx0a1b2c3d0"], state: "established" };
const ASKED: Packet = { ...OUT, oifnames: [], dport: 53 };

for (const [rule, packet, passes] of [
  ["-A FORWARD -i bx+ -j ACCEPT", OUT, true],
  ["-A FORWARD -i bx -j ACCEPT", OUT, false],
  ["-A FORWARD ! -i eth0 -o eth0 -j ACCEPT", OUT, true],
  ["-A FORWARD ! -i eth0 -o eth0 -j ACCEPT", BACK, false],
  ["-A FORWARD -s 10.0.0.0/8 -j ACCEPT", OUT, true],
  ['-A FORWARD -m comment --comment "a \\" -j DROP b" -o eth0 -j ACCEPT', OUT, false],
  ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", BACK, true],
  ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", OUT, false],
  ["-A FORWARD -m state --state NEW -j ACCEPT", OUT, true],
  ["-A FORWARD -i bx0a1b2c3d+ -j REJECT --reject-with icmp-port-unreachable", OUT, false],
] as const) {
  test(`${rule} of a packet from ${packet.iifname}`, () => {
    const [forward] = parseIptables("ip", `-P FORWARD DROP\n${rule}\n`, "bx0a1b2c3d");
    assert.equal(forward && lets(forward, packet), passes);
  });
}

test("questions to the host pass by their port, and by being for the host", () => {
  const rules =
    "-P INPUT DROP\n-N L\n-A INPUT -j L\n-A L -m addrtype --dst-type LOCAL -j RETURN\n-A L -j DROP\n";
  const [shut] = parseIptables("ip", rules, "bx0a1b2c3d");
  const [open] = parseIptables("ip", `${rules}-A INPUT -p udp -m udp --dport 53 -j ACCEPT\n`, "bx0a1b2c3d");
  const [tcp] = parseIptables("ip", `${rules}-A INPUT -p tcp -m tcp --dport 53 -j ACCEPT\n`, "bx0a1b2c3d");
  assert.deepEqual(
    [shut, open, tcp].map((chain) => chain && lets(chain, ASKED)),
    [false, true, false],
  );
});

test("a table without rules has no chains, and one that is empty lets all pass", () => {
  assert.deepEqual(parseIptables("ip", "", "bx"), []);
  const [input, forward] = parseIptables(
    "ip6",
    "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n",
    "bx",
  ).reverse();
  assert.deepEqual(
    [input?.hook, forward?.hook, forward?.family, forward?.isLegacy],
    ["input", "forward", "ip6", true],
  );
  assert.ok(forward && lets(forward, { ...OUT, version: 6 }));
});
