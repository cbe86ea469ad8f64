import assert from "node:assert/strict";
import { test } from "node:test";
import { lets, type Packet } from "../../../src/network/firewalls/packet-filter.ts";
import { hookedChains, parseNftables } from "../../../src/network/firewalls/parse-nftables.ts";

const OUT: Packet = {
  version: 4,
  iifname: "bx0a1b2c3d0",
  oifnames: ["eth0"],
  saddr: "10.231.0.0/16",
  state: "new",
};
const BACK: Packet = {
  version: 4,
  iifname: "eth0",
  oifnames: ["bx0a1b2c3d0"],
  daddr: "10.231.0.0/16",
  state: "established",
};
const ASKED: Packet = { ...OUT, oifnames: [], dport: 53 };
const BASE = {
  chain: { family: "inet", table: "t", name: "f", type: "filter", hook: "forward", prio: 0, policy: "drop" },
};
const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const iif = { meta: { key: "iifname" } };
const oif = { meta: { key: "oifname" } };
const state = { ct: { key: "state" } };
const ACCEPT = { accept: null };
const answerOf = (...entries: object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...entries] });

for (const [what, expr, packet, passes] of [
  ["its interface", [match(iif, "bx0a1b2c3d*"), ACCEPT], OUT, true],
  ["another interface", [match(iif, "docker0"), ACCEPT], OUT, false],
  ["not another interface", [match(iif, "docker0", "!="), ACCEPT], OUT, true],
  ["one of some interfaces", [match(iif, { set: ["a", "bx0a1b2c3d*"] }), ACCEPT], OUT, true],
  ["a set by name, which may hold anything", [match(iif, "@some"), ACCEPT], OUT, false],
  ["not a set by name", [match(iif, "@some", "!="), ACCEPT], OUT, false],
  ["the uplink", [match(oif, "eth0"), ACCEPT], OUT, true],
  [
    "its network",
    [
      match({ payload: { protocol: "ip", field: "saddr" } }, { prefix: { addr: "10.0.0.0", len: 8 } }),
      ACCEPT,
    ],
    OUT,
    true,
  ],
  [
    "a part of its network",
    [match({ payload: { protocol: "ip", field: "saddr" } }, "10.231.0.6"), ACCEPT],
    OUT,
    false,
  ],
  ["answers", [match(state, ["established", "related"], "in"), ACCEPT], BACK, true],
  ["no answers", [match(state, ["established", "related"], "in"), ACCEPT], OUT, false],
  ["answers, by iptables", [{ xt: { type: "match", name: "conntrack" } }, ACCEPT], BACK, true],
  ["no answers, by iptables", [{ xt: { type: "match", name: "conntrack" } }, ACCEPT], OUT, false],
  ["something for us", [match(iif, "bx0a1b2c3d*"), { xt: null }, { counter: {} }, ACCEPT], OUT, true],
  ["a family", [match({ meta: { key: "nfproto" } }, "ipv4"), ACCEPT], OUT, true],
  ["now and then", [{ limit: { rate: 1 } }, ACCEPT], OUT, false],
  ["a target of iptables", [{ counter: {} }, { xt: { type: "target", name: "LOG" } }, ACCEPT], OUT, true],
  ["port 53", [match({ payload: { protocol: "udp", field: "dport" } }, 53), ACCEPT], ASKED, true],
  ["port 53 of TCP", [match({ payload: { protocol: "tcp", field: "dport" } }, 53), ACCEPT], ASKED, false],
  ["what is for the host", [{ xt: { type: "match", name: "addrtype" } }, ACCEPT], ASKED, true],
] as const) {
  test(`a rule that accepts ${what}: a packet from ${packet.iifname} ${passes ? "passes" : "does not"}`, () => {
    const [chain] = parseNftables(answerOf(BASE, { rule: { chain: "f", expr } }), "bx0a1b2c3d");
    assert.equal(chain && lets(chain, packet), passes);
  });
}

test("what rejects drops, by whichever words, and rules of other chains count where they are jumped to", () => {
  const open = { chain: { ...BASE.chain, policy: "accept" } };
  for (const last of [{ drop: null }, { reject: null }, { xt: { type: "target", name: "REJECT" } }]) {
    const [chain] = parseNftables(answerOf(open, { rule: { chain: "f", expr: [last] } }), "bx");
    assert.equal(chain && lets(chain, OUT), false, JSON.stringify(last));
  }
  const jumped = [
    { chain: { family: "inet", table: "t", name: "zone" } },
    { rule: { chain: "f", expr: [match(iif, "bx*"), { goto: { target: "zone" } }] } },
    { rule: { chain: "zone", expr: [ACCEPT] } },
  ];
  const [chain] = parseNftables(answerOf(BASE, ...jumped), "bx");
  assert.equal(chain && lets(chain, OUT), true);
});

test("only filters of IP packets at the hooks that matter are looked at", () => {
  const others = ["bridge", "arp", "netdev"].map((family) => ({ chain: { ...BASE.chain, family } }));
  const output = { chain: { ...BASE.chain, hook: "output" } };
  assert.deepEqual(parseNftables(answerOf(...others, output), "bx"), []);
  assert.equal(hookedChains(answerOf(BASE, { chain: { family: "ip", table: "t", name: "x" } })).length, 1);
  assert.deepEqual(hookedChains("{}"), []);
});
