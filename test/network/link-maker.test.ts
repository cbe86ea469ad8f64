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
const INTERFACES = "/proc/net/dev";
/** Two slots: 10.0.0.0 and 10.0.0.4; the round begins with the second. */
const plan = planAddresses("00000001", "10.0.0.0/29", false);

function given(routes = HEAD) {
  const host = new FakeNetworkHost({ [ROUTES]: routes, [INTERFACES]: "" });
  routeWhatIsMade(host);
  return { host, maker: new LinkMaker(host, "ip", plan, new Forwarding(host, "/nowhere"), 1) };
}

/** The kernel has a route to each network of an interface's addresses. */
function routeWhatIsMade(host: FakeNetworkHost) {
  host.answer = ({ script }) => {
    const [, address, name] = /addr add 10\.0\.0\.(\d)\/30 dev (\w+)/.exec(script) ?? [];
    if (name) host.files[ROUTES] += route(name, `0${Number(address) - 1}00000A`);
    const [, slot] = /^netns del \S+-(\d)$/m.exec(script) ?? [];
    if (slot)
      host.files[ROUTES] = host.files[ROUTES]?.replace(new RegExp(`^bx00000001${slot} .*\n`, "m"), "") ?? "";
    return "";
  };
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
      "ip -batch -",
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
  const answer = host.answer;
  host.answer = (call) => {
    if (call.script.includes("addr add 10.0.0.5/30")) host.files[ROUTES] += route("bx000000021", "0400000A");
    return answer(call);
  };
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  assert.ok(host.scriptsOf("-batch").includes("netns del boxer-00000001-1\n"));
});

test("what was made in part is removed, and its addresses stay out of use while it cannot be", async () => {
  const { host, maker } = given();
  host.answer = ({ command, script }) => {
    if (command.includes("-n ") || script.includes("del ")) throw new Error("refused");
    return command.includes("netns list") ? '[{"name":"boxer-00000001-1"}]' : "[]";
  };
  const failed: string[] = [];

  const cleanup = new CleanupStack((label, error) => failed.push(`${label}: ${error}`));
  await assert.rejects(maker.make(cleanup), /refused/);
  await cleanup.run();
  assert.match(failed.join(), /Cannot remove boxer-00000001-1: refused/);
  routeWhatIsMade(host);
  assert.equal((await maker.make(strictCleanup())).host, "10.0.0.1");
  await assert.rejects(maker.make(strictCleanup()), /no address is free/);
});

test("a link whose namespace somebody holds is cut off by itself", async () => {
  const { host, maker } = given();
  const cleanup = strictCleanup();
  await maker.make(cleanup);
  host.files[INTERFACES] = "  lo: 0\nbx000000011: 0 0\n";
  host.answer = ({ command }) => (command.includes("link show") ? '[{"ifname":"bx000000011"}]' : "[]");
  await cleanup.run();
  assert.deepEqual(host.scriptsOf("-force"), ["link del bx000000011\n"]);
});

test("a host whose routes cannot be read costs no address", async () => {
  const { host, maker } = given();
  const routes = host.files[ROUTES] ?? "";
  for (let round = 0; round < 3; round += 1) {
    delete host.files[ROUTES];
    await assert.rejects(maker.make(strictCleanup()), /ENOENT/);
    host.files[ROUTES] = routes;
  }
  await maker.make(strictCleanup());
  await maker.make(strictCleanup());
});

test("a link is intact while it is there, and nobody else has its addresses", async () => {
  const { host, maker } = given();
  const link = await maker.make(strictCleanup());
  assert.equal(await maker.isIntact(link), true);
  const own = host.files[ROUTES] ?? "";
  for (const routes of [HEAD, own + route("tun0", "0400000A")]) {
    host.files[ROUTES] = routes;
    assert.equal(await maker.isIntact(link), false);
  }
});
