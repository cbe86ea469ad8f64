import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { planAddresses } from "../../src/network/address-plan.ts";
import { Forwarding } from "../../src/network/forwarding.ts";
import { UplinkKeeper } from "../../src/network/uplink-keeper.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const V4 = (name: string) => `/proc/sys/net/ipv4/conf/${name}/forwarding`;
const GLOBAL = "/proc/sys/net/ipv4/ip_forward";
const plan = planAddresses("0a1b2c3d", "10.231.0.0/16", false);

async function given(t: TestContext, { on = "0\n", consent = true } = {}) {
  const host = new FakeNetworkHost({
    [GLOBAL]: on,
    [V4("eth0")]: "0\n",
    [V4("bx0a1b2c3d7")]: "0\n",
    "/proc/net/route": "Iface\tDestination\neth0\t00000000\t0\t0\t0\t0\t0\t00000000\n",
    "/proc/net/dev": "Inter-|\n face |\n  eth0: 0\nbx0a1b2c3d7: 0\nbxffffffff1: 0\n",
  });
  const forwarding = new Forwarding(host, join(await tempDirectory(t), "network.json"));
  const applied: string[] = [];
  const keeper = new UplinkKeeper(
    host,
    "ip",
    plan,
    forwarding,
    consent,
    async (script) => void applied.push(script),
  );
  return { host, forwarding, keeper, applied };
}

test("an uplink that does not forward is put into the table, then opened, with our links", async (t) => {
  const { host, forwarding, keeper, applied } = await given(t);
  await keeper.follow();
  assert.deepEqual(applied, ['add element inet boxer_0a1b2c3d opened4 { "eth0" }\n']);
  assert.deepEqual([host.files[V4("eth0")], host.files[V4("bx0a1b2c3d7")]], ["1", "1"]);
  assert.equal(host.files[V4("bxffffffff1")], undefined, "what is not ours is left alone");
  assert.deepEqual(forwarding.opened.ipv4, ["eth0"]);
  const asked = host.calls.length;
  await Promise.all([keeper.follow(), keeper.follow()]);
  assert.equal(host.calls.length, asked, "not looked at again at once");
  await keeper.rest();
});

test("whoever has the host forward as a whole may say what it forwards", async (t) => {
  const { host, forwarding, keeper, applied } = await given(t);
  await forwarding.open({ ipv4: ["eth0"] }, async () => {});
  host.files[GLOBAL] = "1\n";
  await keeper.follow();
  assert.deepEqual(applied, ["flush set inet boxer_0a1b2c3d opened4\n"]);
  assert.deepEqual(forwarding.opened.ipv4, []);
  await keeper.rest();
});

test("a host that forwards is left as it is, and one that no longer does, without consent, is a reason", async (t) => {
  const on = await given(t, { on: "1\n", consent: false });
  await on.keeper.follow();
  assert.deepEqual([on.applied, on.host.files[V4("eth0")]], [[], "0\n"]);
  const off = await given(t, { consent: false });
  await assert.rejects(off.keeper.follow(), {
    code: "network_unavailable",
    message: /no longer forwards IPv4/,
  });
  assert.deepEqual([off.applied, off.host.files[V4("eth0")]], [[], "0\n"]);
});
