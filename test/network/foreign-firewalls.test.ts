import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { firewallNotes } from "../../src/network/foreign-firewalls.ts";

const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", true);
const chain = (table: string, name: string, rest: object = {}) => ({
  chain: { family: "ip", table, name, ...rest },
});
const DROPS = { hook: "forward", policy: "drop" };
const notesOf = (chains: object[], legacyTables = "") =>
  firewallNotes({ chains: JSON.stringify({ nftables: [{ metainfo: {} }, ...chains] }), legacyTables }, plan);

for (const [what, chains, said] of [
  [
    "Docker's rules",
    [chain("filter", "FORWARD", DROPS), chain("filter", "DOCKER-USER")],
    /DOCKER-USER -s 10\.231\.0\.0\/16/,
  ],
  [
    "ufw",
    [chain("filter", "FORWARD", DROPS), chain("filter", "ufw-user-forward")],
    /ufw route allow from 10\.231\.0\.0\/16/,
  ],
  [
    "firewalld",
    [chain("firewalld", "filter_FORWARD", { hook: "forward", policy: "accept" })],
    /firewall-cmd .*--add-source=10\.231\.0\.0\/16/,
  ],
  ["a chain that drops", [chain("mine", "fwd", DROPS)], /dropped unless it is accepted in ip mine fwd/],
] as const) {
  test(`${what}: the operator is told what lets sandboxes pass`, () => {
    const notes = notesOf([...chains]);
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? "", said);
  });
}

test("rules of iptables-legacy cannot be seen, which is said", () => {
  assert.match(notesOf([], "nat\nfilter\n")[0] ?? "", /iptables-legacy -S FORWARD/);
  assert.deepEqual(notesOf([], "nat\n"), []);
});

test("our own chains, and those that let all pass, are no matter", () => {
  assert.deepEqual(
    notesOf([
      chain(plan.table, "forward", DROPS),
      chain("x", "y", { hook: "forward", policy: "accept" }),
      chain("x", "in", { hook: "input", policy: "drop" }),
    ]),
    [],
  );
});
