import assert from "node:assert/strict";
import { test } from "node:test";
import { namesOf } from "../../src/network/address-plan.ts";
import { sweepLinks } from "../../src/network/sweep-links.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";

const own = namesOf("0a1b2c3d");

test("what bears the server's tag is removed, and nothing that only resembles it", async () => {
  const host = new FakeNetworkHost({ "/proc/net/dev": "" });
  const names = (key: string, list: string[]) => JSON.stringify(list.map((name) => ({ [key]: name })));
  host.answer = ({ command }) => {
    if (command.includes("link show"))
      return names("ifname", ["eth0", "bx0a1b2c3d7", "bx0a1b2c3e7", "bx0a1b2c3dx", "bx0a1b2c3d"]);
    if (command.includes("netns list"))
      return names("name", ["boxer-0a1b2c3d-7", "boxer-0a1b2c3d-x", "boxer-ffffffff-7", "outside"]);
    return "";
  };
  assert.deepEqual(await sweepLinks(host, "ip", own), { namespaces: 1, interfaces: 1 });
  assert.deepEqual(host.scriptsOf("-force"), [
    "netns del boxer-0a1b2c3d-7\n",
    "link del bx0a1b2c3d7\nnetns del boxer-0a1b2c3d-7\n",
  ]);
});

test("what goes with its namespace is not removed once more", async () => {
  const host = new FakeNetworkHost({ "/proc/net/dev": "" });
  const there = { "link show": '[{"ifname":"bx0a1b2c3d7"}]', "netns list": '[{"name":"boxer-0a1b2c3d-7"}]' };
  host.answer = ({ command, script }) => {
    if (script.includes("netns del")) Object.assign(there, { "link show": "", "netns list": "" });
    return command.includes("link show") ? there["link show"] : there["netns list"];
  };
  assert.deepEqual(await sweepLinks(host, "ip", own), { namespaces: 1, interfaces: 1 });
  assert.deepEqual(host.scriptsOf("-force"), ["netns del boxer-0a1b2c3d-7\n"]);
});

test("a host without any is left alone, also where ip then says nothing", async () => {
  const host = new FakeNetworkHost();
  assert.deepEqual(await sweepLinks(host, "ip", own), { namespaces: 0, interfaces: 0 });
  assert.deepEqual(host.scriptsOf("-force"), []);
});
