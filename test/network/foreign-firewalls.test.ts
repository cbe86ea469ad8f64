import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { parseIptables } from "../../src/network/firewalls/parse-iptables.ts";
import { parseNftables } from "../../src/network/firewalls/parse-nftables.ts";
import { type Firewalls, firewallNotes, readFirewallNotes } from "../../src/network/foreign-firewalls.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";

const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", true);
const OURS = plan.interfacePrefix;
const chain = (table: string, name: string, rest: object = {}, family = "ip") => ({
  chain: { family, table, name, ...rest },
});
const DROPS = { hook: "forward", policy: "drop" };
const jsonOf = (entries: readonly object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...entries] });
const notesOf = (chains: Firewalls["chains"], rest: Partial<Firewalls> = {}) =>
  firewallNotes({ chains, unseen: [], uplinks: ["eth0"], ...rest }, plan);

for (const [what, entries, said] of [
  [
    "Docker's rules",
    [chain("filter", "FORWARD", DROPS), chain("filter", "DOCKER-USER")],
    /by Docker's rules; this lets it pass: iptables -I DOCKER-USER -i bx0a1b2c3d\+ -j ACCEPT; iptables -I DOCKER-USER -o /,
  ],
  [
    "Docker's rules for IPv6, which have no such chain",
    [chain("filter", "FORWARD", DROPS, "ip6")],
    /: ip6tables -I FORWARD -i bx0a1b2c3d\+ -j ACCEPT; ip6tables -I FORWARD -o bx0a1b2c3d\+ -m conntrack/,
  ],
  [
    "ufw",
    [chain("filter", "FORWARD", DROPS), chain("filter", "ufw-user-forward")],
    /by ufw; this lets it pass: ufw route allow in on bx0a1b2c3d\+$/,
  ],
  [
    "firewalld",
    [
      chain("firewalld", "filter_FORWARD", { hook: "forward", policy: "accept" }, "inet"),
      { rule: { chain: "filter_FORWARD", expr: [{ reject: { type: "icmpx", expr: "admin-prohibited" } }] } },
    ],
    /: firewall-cmd --zone=trusted --add-interface=bx0a1b2c3d\+; firewall-cmd --permanent --zone=trusted /,
  ],
  [
    "a chain of one's own",
    [chain("mine", "fwd", DROPS, "inet")],
    /by the chain inet mine fwd; this lets it pass: nft insert rule inet mine fwd iifname '"bx0a1b2c3d\*"' accept; nft /,
  ],
] as const) {
  test(`${what}: the operator is told what lets sandboxes pass`, () => {
    const notes = notesOf(parseNftables(jsonOf(entries), OURS));
    assert.equal(notes.length, 1, notes.join("\n"));
    assert.match(notes[0] ?? "", said);
  });
}

test("rules of iptables-legacy are told by its own tool, unless there is none", () => {
  const rules = "-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n";
  assert.match(notesOf(parseIptables("ip", rules, OURS))[0] ?? "", /: iptables-legacy -I DOCKER-USER -i bx/);
  assert.match(notesOf([], { unseen: ["iptables-legacy"] })[0] ?? "", /Rules of iptables-legacy may drop/);
});

test("look-ups are spoken of where they are dropped, and once where one command opens both", () => {
  const shut = [
    chain("filter", "INPUT", { hook: "input", policy: "drop" }),
    chain("filter", "ufw-user-input"),
  ];
  const [note, ...rest] = notesOf(parseNftables(jsonOf(shut), OURS));
  assert.match(note ?? "", /^Sandboxes' look-ups, .*: ufw allow in on bx0a1b2c3d\+ to any port 53$/);
  assert.deepEqual(rest, []);
  const both = [
    chain("firewalld", "filter_FORWARD", DROPS, "inet"),
    chain("firewalld", "filter_INPUT", { hook: "input", policy: "drop" }, "inet"),
  ];
  assert.equal(notesOf(parseNftables(jsonOf(both), OURS)).length, 1);
});

test("what lets all pass is no matter, nor are IPv6 rules where links have none", () => {
  const open = [chain("x", "y", { hook: "forward", policy: "accept" }), chain("x", "z", DROPS, "bridge")];
  assert.deepEqual(notesOf(parseNftables(jsonOf(open), OURS)), []);
  const ip6 = parseNftables(jsonOf([chain("filter", "FORWARD", DROPS, "ip6")]), OURS);
  const ipv4Only = planAddresses("0a1b2c3d", "10.231.0.0/16", false);
  assert.deepEqual(firewallNotes({ chains: ip6, unseen: [], uplinks: ["eth0"] }, ipv4Only), []);
});

test("the host is asked for others' tables only, and what it cannot tell is passed over", async () => {
  const host = new FakeNetworkHost({
    "/proc/net/route": "Iface\n",
    "/proc/net/ip_tables_names": "nat\nfilter\n",
    "/proc/net/ip6_tables_names": "nat\n",
  });
  host.answer = ({ command }) => {
    if (command.includes("list chains"))
      return jsonOf([chain(plan.table, "forward", DROPS, "inet"), chain("filter", "FORWARD", DROPS)]);
    if (command.includes("list table")) return jsonOf([chain("filter", "FORWARD", DROPS)]);
    if (command.includes("iptables-legacy")) throw new Error("ENOENT");
    return "";
  };
  const notes = await readFirewallNotes(host, { ip: "ip", nft: "nft" }, plan);
  assert.match(notes.join("\n"), /iptables -I FORWARD[\s\S]*Rules of iptables-legacy may drop/);
  const listed = host.calls.map(({ command }) => command).filter((command) => command.includes("list table"));
  assert.deepEqual(listed, ["nft -j -t list table ip filter"]);
  host.answer = () => {
    throw new Error("EAGAIN");
  };
  assert.equal((await readFirewallNotes(host, { ip: "ip", nft: "nft" }, plan)).length, 1);
});
