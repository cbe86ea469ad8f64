import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Forwarding } from "../../src/network/forwarding.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

const V4 = (name: string) => `/proc/sys/net/ipv4/conf/${name}/forwarding`;
const V6 = (name: string) => `/proc/sys/net/ipv6/conf/${name}/force_forwarding`;
const GLOBAL = "/proc/sys/net/ipv4/ip_forward";

async function given(t: TestContext, files: Record<string, string> = {}) {
  const record = join(await tempDirectory(t), "network.json");
  const host = new FakeNetworkHost({
    [GLOBAL]: "0\n",
    [V4("eth0")]: "0\n",
    [V4("eth1")]: "1\n",
    [V4("bx1")]: "0\n",
    [V6("eth0")]: "0\n",
    [V6("bx1")]: "0\n",
    [V6("all")]: "0\n",
    ...files,
  });
  return { host, record, forwarding: new Forwarding(host, record) };
}

test("only uplinks that were shut are opened, noted first, and shut again", async (t) => {
  const { host, record, forwarding } = await given(t);
  const shielded: unknown[] = [];
  const shield = async (opened: unknown) => {
    assert.deepEqual(JSON.parse(await readFile(record, "utf8")), opened);
    assert.notEqual(host.files[V4("eth0")], "1", "not before the shield is up");
    shielded.push(opened);
  };
  await forwarding.open({ ipv4: ["eth0", "eth1"], ipv6: ["eth0", "gone"] }, shield);
  assert.deepEqual(shielded, [forwarding.opened]);
  assert.deepEqual(forwarding.opened, { ipv4: ["eth0"], ipv6: ["eth0"] });
  assert.deepEqual(JSON.parse(await readFile(record, "utf8")), forwarding.opened);
  assert.deepEqual([host.files[V4("eth0")], host.files[V6("eth0")]], ["1", "1"]);
  await forwarding.openLink("bx1");
  assert.deepEqual([host.files[V4("bx1")], host.files[V6("bx1")]], ["1", "1"]);
  await forwarding.close();
  assert.deepEqual(
    [host.files[V4("eth0")], host.files[V4("eth1")]?.trim(), host.files[V6("eth0")]],
    ["0", "1", "0"],
  );
  assert.equal(existsSync(record), false);
});

test("where nothing is to be opened nothing is touched", async (t) => {
  const { host, record, forwarding } = await given(t);
  const before = { ...host.files };
  await forwarding.open({}, async () => {});
  await forwarding.openLink("bx1");
  await forwarding.close();
  assert.deepEqual(host.files, before);
  assert.equal(existsSync(record), false);
});

test("what an earlier server opened is shut, unless the host forwards as a whole by now", async (t) => {
  for (const [global, left] of [
    ["0\n", "0"],
    ["1\n", "1"],
  ] as const) {
    const { host, record, forwarding } = await given(t, { [GLOBAL]: global, [V4("eth0")]: "1" });
    await writeFile(record, '{"ipv4":["eth0","gone"],"ipv6":[]}');
    await forwarding.restore();
    assert.equal(host.files[V4("eth0")], left);
    assert.equal(existsSync(record), false);
  }
});

test("a record leads to no other file, and a broken one is none", async (t) => {
  const { host, record, forwarding } = await given(t, { [V4("../../x")]: "1", [V4("..")]: "1" });
  await writeFile(record, '{"ipv4":["../../x","..",7,"a b"],"ipv6":"eth0"}');
  await forwarding.restore();
  assert.deepEqual([host.files[V4("../../x")], host.files[V4("..")]], ["1", "1"]);
  await writeFile(record, '{"ipv4":["et');
  await forwarding.restore();
});

test("IPv6 can be opened only by kernels that forward by interface", async (t) => {
  const { host, forwarding } = await given(t);
  assert.equal(await forwarding.canOpen("ipv6"), true);
  delete host.files[V6("all")];
  assert.equal(await forwarding.canOpen("ipv6"), false);
});

test("uplinks that come later are opened beside the others, and all are given back", async (t) => {
  const { host, record, forwarding } = await given(t);
  await forwarding.open({ ipv4: ["eth0"] }, async () => {});
  host.files[V4("wan2")] = "0\n";
  assert.deepEqual(await forwarding.shutOf("ipv4", ["eth0", "wan2", "gone"]), ["wan2"]);
  await forwarding.open({ ipv4: ["wan2"] }, async () => {});
  assert.deepEqual(forwarding.opened, { ipv4: ["eth0", "wan2"], ipv6: [] });
  assert.deepEqual(JSON.parse(await readFile(record, "utf8")), forwarding.opened);
  await forwarding.close();
  assert.deepEqual([host.files[V4("eth0")], host.files[V4("wan2")]], ["0", "0"]);
});
