import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses, tagOf } from "../../src/network/address-plan.ts";

const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", true);

test("each slot has a network of four addresses, names and hardware addresses of its own", () => {
  assert.deepEqual(plan.link(300), {
    netns: "boxer-0a1b2c3d-300",
    interface: "bx0a1b2c3d300",
    host: "10.231.4.177",
    guest: "10.231.4.178",
    ipv6: { host: "fdb0:a1b:2c3d:12c::1", guest: "fdb0:a1b:2c3d:12c::2" },
    hostMac: "06:00:0a:e7:04:b1",
    guestMac: "02:00:0a:e7:04:b2",
  });
  assert.equal(plan.slots, 16_384);
  const all = Array.from({ length: plan.slots }, (_, slot) => plan.link(slot));
  const addresses = all.flatMap(({ host, guest }) => [host, guest]);
  assert.equal(new Set(addresses).size, 2 * plan.slots);
  assert.equal(new Set(all.map(({ interface: name }) => name)).size, plan.slots);
});

test("the names of the last slot fit into what the kernel allows", () => {
  const large = planAddresses("ffffffff", "10.0.0.0/8", true);
  assert.equal(large.slots, 65_536);
  assert.equal(large.link(65_535).interface.length, 15);
  assert.equal(large.link(65_535).guest, "10.3.255.254");
});

test("a network is taken from its first address on, whatever address stands for it", () => {
  assert.equal(planAddresses("00000000", "192.168.7.9/30", false).link(0).host, "192.168.7.9");
  assert.equal(planAddresses("00000000", "192.168.7.9/29", false).network, "192.168.7.8/29");
  assert.throws(() => planAddresses("00000000", "192.168.7.8/31", false), RangeError);
});

test("IPv6 addresses are written as tools write them", () => {
  const { ipv6 } = planAddresses("00000001", "10.0.0.0/8", true).link(0);
  assert.equal(ipv6?.guest, "fdb0:0:1::2");
});

test("without IPv6 there are no such addresses", () => {
  const { network6, link } = planAddresses("00000000", "10.0.0.0/30", false);
  assert.deepEqual([network6, link(0).ipv6], [null, null]);
});

test("servers of different homes have different tags", () => {
  assert.match(tagOf("/a"), /^[0-9a-f]{8}$/);
  assert.notEqual(tagOf("/a"), tagOf("/b"));
  assert.equal(tagOf("/a"), tagOf("/a"));
});
