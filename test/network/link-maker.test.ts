import assert from "node:assert/strict";
import { test } from "node:test";
import { CleanupStack } from "../../src/core/cleanup-stack.ts";
import { planAddresses } from "../../src/network/address-plan.ts";
import { Forwarding } from "../../src/network/forwarding.ts";
import { LinkMaker } from "../../src/network/link-maker.ts";
import { FakeNetworkHost } from "../support/fake-network-host.ts";
import { strictCleanup } from "../support/strict-cleanup.ts";

const HEAD = "Iface\tDestination\tGateway\n";
const route = (name: string, destination: string) =>
  `${name} ${destination} 00000000 1 0 0 0 FCFFFFFF 0 0 0\n`;
const ROUTES = "/proc/net/route";
/** Two slots: 10.0.0.0 and 10.0.0.4; the round begins with the second. */
const plan = planAddresses("00000001", "10.0.0.0/29", false);

function given(routes = HEAD) {
  const host = new FakeNetworkHost({ [ROUTES]: routes });
  return { host, maker: new LinkMaker(host, "ip", plan, new Forwarding(host, "/nowhere")) };
}

test("a link takes two processes to make and one to remove, and its addresses come back", async () => {
  const { host, maker } = given();
  const cleanup = strictCleanup();
  assert.equal((await maker.make(cleanup)).host, "10.0.0.5");
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  await assert.rejects(maker.make(strictCleanup()), /no address is free in 10\.0\.0\.0\/29/);
  await cleanup.run();
  assert.deepEqual(
    host.calls.map(({ command }) => command),
    [
      "ip -batch -",
      "ip -n boxer-00000001-1 -batch -",
      "ip -batch -",
      "ip -n boxer-00000001-0 -batch -",
      "ip -force -batch -",
    ],
  );
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.5");
});

test("addresses that somebody else routes are passed over", async () => {
  const { maker } = given(HEAD + route("tun0", "0400000A"));
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  await assert.rejects(maker.make(strictCleanup()), /no address is free/);
});

test("addresses that somebody else took at the same moment are given up, and nothing of them stays", async () => {
  const { host, maker } = given();
  host.answer = ({ script }) => {
    if (script.includes("10.0.0.5/30")) host.files[ROUTES] = HEAD + route("bx000000021", "0400000A");
    return "";
  };
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  assert.deepEqual(host.scriptsOf("-force"), ["link del bx000000011\nnetns del boxer-00000001-1\n"]);
});

test("what was made in part is removed, and its addresses stay out of use while it cannot be", async () => {
  const { host, maker } = given();
  host.answer = ({ command }) => {
    if (command.includes("-n ") || command.includes("-force")) throw new Error("refused");
    return command.includes("netns list") ? '[{"name":"boxer-00000001-1"}]' : "[]";
  };
  const failed: string[] = [];

  const cleanup = new CleanupStack((label, error) => failed.push(`${label}: ${error}`));
  await assert.rejects(maker.make(cleanup), /refused/);
  await cleanup.run();
  assert.match(failed.join(), /Cannot remove boxer-00000001-1: refused/);
  host.answer = () => "";
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  await assert.rejects(maker.make(strictCleanup()), /no address is free/);
});
