import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { RunRules } from "../../src/network/run-rules.ts";
import { PUBLIC } from "../support/networks.ts";

const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", true);
const rulesOf = (policy: object) => new RunRules(plan.table, plan.link(1), 7, { ...PUBLIC, ...policy });
const chainOf = (script: string) =>
  /chain run_\w+ \{\n(.*?)\n {2}\}/s.exec(script)?.[1]?.trim().split(/\n\s*/);

test("public addresses are let out after all that is refused", () => {
  assert.deepEqual(chainOf(rulesOf({}).add()), [
    "ct count over 1024 goto refuse",
    "jump never",
    "jump special",
    "accept",
  ]);
  assert.equal(rulesOf({}).opensAddresses, false);
});

test("the order is name servers, never, denied, listed private, permitted look-ups, special, listed public, look-ups", () => {
  const script = rulesOf({
    all_public: false,
    dns: ["10.0.0.53"],
    denied: [{ cidr: "1.0.0.0/8", port: null }],
    public_addresses: [{ cidr: "2a00::/32", port: 443 }],
    private_addresses: [{ cidr: "10.2.0.0/16", port: null }],
    private_permitted: [{ cidr: "10.1.0.0/16", port: null }],
  }).add();
  assert.deepEqual(chainOf(script), [
    "ct count over 1024 goto refuse",
    "meta l4proto { tcp, udp } ip daddr 10.0.0.53/32 th dport 53 accept",
    "jump never",
    "ip daddr 1.0.0.0/8 goto refuse",
    "ip daddr 10.2.0.0/16 accept",
    "ip daddr 10.1.0.0/16 jump names_bx0a1b2c3d1",
    "jump special",
    "meta l4proto { tcp, udp } ip6 daddr 2a00:0:0:0:0:0:0:0/32 th dport 443 accept",
    "jump names_bx0a1b2c3d1",
    "goto refuse",
  ]);
});

test("what is removed is what was added", () => {
  for (const policy of [{}, { all_public: false }, { dns: [] }]) {
    const rules = rulesOf(policy);
    const added = [...rules.add().matchAll(/add element (.*)/g)].map(([, element = ""]) =>
      element.replace(/ : (goto )?\w+/, ""),
    );
    const removed = [...rules.remove().matchAll(/delete element (.*)/g)].map(([, element]) => element);
    assert.deepEqual(removed, added);
    for (const kind of ["chain", "set"]) {
      const made = [...rules.add().matchAll(new RegExp(`^  ${kind} (\\w+)`, "gm"))].map(([, name]) => name);
      const deleted = [...rules.remove().matchAll(new RegExp(`delete ${kind} inet \\w+ (\\w+)`, "g"))].map(
        ([, name]) => name,
      );
      assert.deepEqual(deleted.sort(), made.sort());
    }
  }
});

test("a run has its zone of connection tracking, and only what was begun in it comes in", () => {
  const script = rulesOf({}).add();
  assert.match(script, /add element inet \w+ zones \{ "bx0a1b2c3d1" : 7 \}/);
  assert.match(script, /add element inet \w+ flows \{ "bx0a1b2c3d1" \. 7 \}/);
});

test("addresses open with their ports and their time, in whole seconds of at least one", () => {
  const script = rulesOf({ all_public: false }).allow([
    { address: "1.2.3.4", ports: [80, 443], ttl_secs: 0 },
    { address: "2a00::1", ports: null, ttl_secs: 1.2 },
  ]);
  const added = script.split("\n").filter((line) => line.startsWith("add"));
  assert.deepEqual(
    [...new Set(added)],
    [
      "add element inet boxer_0a1b2c3d port4_bx0a1b2c3d1 { 1.2.3.4 . 80 timeout 1s }",
      "add element inet boxer_0a1b2c3d port4_bx0a1b2c3d1 { 1.2.3.4 . 443 timeout 1s }",
      "add element inet boxer_0a1b2c3d any6_bx0a1b2c3d1 { 2a00:0:0:0:0:0:0:1 timeout 2s }",
    ],
  );
});

test("nothing but addresses and ports gets into a script", () => {
  const hostile = { cidr: "1.2.3.4 accept; flush ruleset", port: null };
  for (const policy of [
    { all_public: false, public_addresses: [hostile] },
    { private_addresses: [hostile] },
    { denied: [hostile] },
    { private_permitted: [hostile] },
    { dns: [hostile.cidr] },
  ]) {
    assert.throws(() => rulesOf(policy).add(), { code: "invalid_request" });
  }
  assert.throws(() => rulesOf({ private_addresses: [{ cidr: "::/0", port: 1.5 }] }).add(), {
    code: "invalid_request",
  });
  assert.throws(() => rulesOf({}).allow([{ address: hostile.cidr, ports: null, ttl_secs: 1 }]), {
    code: "invalid_request",
  });
});
