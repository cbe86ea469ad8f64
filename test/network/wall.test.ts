import assert from "node:assert/strict";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { dropScript, wallScript } from "../../src/network/wall.ts";

const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", true);
const script = wallScript(plan, { ipv4: ["eth0"], ipv6: [] });

test("the table replaces what an earlier server left, and no table of others is named", () => {
  assert.ok(
    script.startsWith(
      "add table inet boxer_0a1b2c3d\ndelete table inet boxer_0a1b2c3d\ntable inet boxer_0a1b2c3d {\n",
    ),
  );
  assert.equal(script.match(/table /g)?.length, 3);
  assert.ok(script.startsWith(dropScript(plan.table)));
  assert.doesNotMatch(script, /flush/);
});

test("only our own interfaces are named, and uplinks opened for our sake", () => {
  const names = [...script.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(names)].sort(), ["bx0a1b2c3d*", "eth0"]);
  assert.match(script, /set opened4 \{ type ifname; elements = \{ "eth0" \} \}/);
  assert.match(script, /set opened6 \{ type ifname; {2}\}/);
});

test("our own networks are never to be reached, and leave by our own address only", () => {
  assert.match(script, /set never4 .*10\.231\.0\.0\/16/);
  assert.match(script, /set never6 .*fdb0:0a1b:2c3d::\/48/);
  assert.match(script, /ip6 saddr fdb0:0a1b:2c3d::\/48 .* goto leave6/);
  assert.doesNotMatch(
    wallScript(planAddresses("0a1b2c3d", "10.231.0.0/16", false), { ipv4: [], ipv6: [] }),
    /fdb0/,
  );
});
