import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { linkScripts } from "../../src/network/link-scripts.ts";

const scripts = (ipv6: boolean) => linkScripts(planAddresses("0a1b2c3d", "10.231.0.0/16", ipv6).link(1));

test("both ends know each other, and the host's asks nobody", () => {
  const { make, enter } = scripts(true);
  assert.match(
    make,
    /^netns add boxer-0a1b2c3d-1\nlink add bx0a1b2c3d1 address 06:00:0a:e7:00:05 arp off type veth /,
  );
  for (const address of ["10.231.0.6", "fdb0:a1b:2c3d:1::2"]) {
    assert.ok(make.includes(`neigh add ${address} lladdr 02:00:0a:e7:00:06 dev bx0a1b2c3d1 nud permanent`));
  }
  for (const address of ["10.231.0.5", "fdb0:a1b:2c3d:1::1"]) {
    assert.ok(enter.includes(`neigh replace ${address} lladdr 06:00:0a:e7:00:05 dev eth0 nud permanent`));
    assert.ok(enter.includes(`route replace default via ${address} dev eth0`));
  }
});

test("without IPv6 no line speaks of it", () => {
  const { make, enter, remove } = scripts(false);
  assert.doesNotMatch(make + enter, /fdb0|nodad/);
  assert.equal(remove, "netns del boxer-0a1b2c3d-1\n");
});
