import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { parseUsage } from "../../src/network/parse-usage.ts";

const link = planAddresses("0a1b2c3d", "10.231.0.0/16", true).link(1);
const set = (name: string, ...elem: object[]) => ({ set: { name, family: "inet", elem } });
const element = (val: string, packets: number, bytes: number) => ({
  elem: { val, counter: { packets, bytes } },
});

test("a run's counters are read, IPv4 and IPv6 together, and no other run's", () => {
  const answer = {
    nftables: [
      { metainfo: { version: "1.0.6" } },
      set("special4", { prefix: { addr: "10.0.0.0", len: 8 } }),
      set("sent", element("bx0a1b2c3d1", 9, 900), element("bx0a1b2c3d2", 8, 800)),
      set("received", element("bx0a1b2c3d1", 7, 700)),
      set("refused", element("bx0a1b2c3d1", 3, 300)),
      set("allowed4", element("10.231.0.6", 2, 200), element("10.231.0.10", 5, 500)),
      set("allowed6", element("fdb0:a1b:2c3d:1::2", 1, 100)),
    ],
  };
  assert.deepEqual(parseUsage(JSON.stringify(answer), link), {
    allowed_connections: 3,
    refused_connections: 3,
    bytes_in: 700,
    bytes_out: 900,
  });
});

test("what has no counter yet is zero", () => {
  for (const answer of ["{}", '{"nftables":[{"set":{"name":"sent"}}]}']) {
    assert.deepEqual(Object.values(parseUsage(answer, link)), [0, 0, 0, 0]);
  }
});
